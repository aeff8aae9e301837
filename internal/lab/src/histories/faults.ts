import { processesOf, sendSignal } from '@session-stores/testbed'
import { ofDatabases } from './database-faults.ts'
import type { Place } from './place.ts'
import { type Fault, rest } from './scene.ts'

const ofProcesses: Readonly<Record<string, Fault>> = {
  async 'application killed'(scene) {
    await scene.restart(Math.floor(scene.random() * scene.processes))
  },
  async 'application stopped'(scene) {
    const process = Math.floor(scene.random() * scene.processes)
    scene.setPaused(process, true)
    await rest(scene, 50, 600)
    scene.setPaused(process, false)
  },
  async 'clock set back'(scene) {
    scene.moveClock(Math.floor(scene.random() * scene.processes), -1000 - Math.floor(scene.random() * 4000))
  },
  async 'clock set forward'(scene) {
    scene.moveClock(Math.floor(scene.random() * scene.processes), 1000 + Math.floor(scene.random() * 4000))
  },
}

const ofNetwork: Readonly<Record<string, Fault>> = {
  async 'connections cut'(scene) {
    scene.place.proxy!.cut()
  },
  async 'connections refused'(scene) {
    const { proxy } = scene.place
    proxy!.refuse()
    proxy!.cut()
    await rest(scene, 50, 400)
    proxy!.accept()
  },
  async 'half-open connections'(scene) {
    const { proxy } = scene.place
    proxy!.pause('toClient')
    await rest(scene, 50, 600)
    proxy!.cut()
    proxy!.resume()
  },
  async 'network stands still'(scene) {
    const { proxy } = scene.place
    proxy!.pause()
    await rest(scene, 50, 600)
    proxy!.resume()
  },
  async 'connections cut after some bytes of an answer'(scene) {
    const { proxy, random } = { proxy: scene.place.proxy!, random: scene.random }
    for (let i = 0; i < 5; i++) void proxy.cutNextReplyAfter(Math.floor(random() * 200)).catch(() => {})
    await rest(scene, 100, 300)
  },
  async 'garbage in place of answers'(scene) {
    const { proxy, random } = { proxy: scene.place.proxy!, random: scene.random }
    proxy.chaos({ seed: Math.floor(random() * 2 ** 32), garbage: 0.05 })
    await rest(scene, 200, 500)
    proxy.calm()
  },
  async 'delays, lost replies, cuts inside of messages'(scene) {
    const { proxy, random } = { proxy: scene.place.proxy!, random: scene.random }
    const seed = Math.floor(random() * 2 ** 32)
    proxy.chaos({ seed, loseReplies: 0.05, silences: 0.01, cuts: 0.05, delay: 20 })
    await rest(scene, 200, 500)
    proxy.calm()
  },
}

const ofServers: Readonly<Record<string, Fault>> = {
  async 'server killed'(scene) {
    const { database, server } = scene.place
    const restart = async (): Promise<void> => {
      await server!.kill()
      await rest(scene, 0, 200)
      await server!.start()
    }
    // Reads of MongoDB may see a write before a majority has it.
    if (database === 'mongodb') await scene.lose('crash', restart)
    else await restart()
  },
  async 'server stopped'(scene) {
    const pids = processesOf(scene.place.server!.pid!)
    sendSignal(pids, 'SIGSTOP')
    await rest(scene, 50, 700)
    sendSignal(pids, 'SIGCONT')
  },
}

/** Returns the faults of this place by their names. */
export function faultsOf({
  database,
  server,
  deployment,
}: Place & { deployment?: { readonly faults: Readonly<Record<string, Fault>> } }): Readonly<
  Record<string, Fault>
> {
  if (deployment) return { 'application killed': ofProcesses['application killed']!, ...deployment.faults }
  const ofMachine = server ? { ...ofNetwork, ...ofServers } : {}
  return { ...ofProcesses, ...ofMachine, ...ofDatabases[database] }
}
