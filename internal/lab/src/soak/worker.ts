/**
 * The process of an application, whose memory and handles the soak measures. Its argument is the JSON
 * of `Settings`.
 */
import type { Socket } from 'node:net'
import type { StoreOptions } from '@session-stores/core'
import { openLeaking } from './leaks.ts'
import { Load } from './load.ts'
import { measureProcess } from './process-sizes.ts'
import type { Order, Report, Settings } from './protocol.ts'
import { timesOf } from './times.ts'

const { database, place, seed, leak } = JSON.parse(process.argv[2]!) as Settings
const times = timesOf(database)

// Where the database's clock matters, this clock begins in the past and never overtakes it.
const realNow = Date.now
const begin = realNow()
Date.now = () => Math.floor(begin - times.behind + (realNow() - begin) * times.speed)

const options: StoreOptions = {
  tombstoneTimeout: times.tombstoneTimeout,
  pruneInterval: times.pruneInterval,
  user: (found) => (found as unknown as Record<string, string>).user,
}
const store = await openLeaking(database, place, options, leak)
const load = new Load(store, seed, times.lifetime)
await load.listen()

/** Breaks the connections to the server, as Node does where the network resets them. */
function cut(): void {
  const { port } = new URL(place)
  const handles = (process as unknown as { _getActiveHandles(): Socket[] })._getActiveHandles()
  for (const socket of handles) {
    const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
    if (`${socket.remotePort}` === port) socket.destroy(error)
  }
}

process.on('message', async (order: Order) => {
  if (order === 'load') load.start()
  else if (order === 'cut') cut()
  else await load.stop()
  const sizes = order === 'measure' ? await measureProcess() : undefined
  if (order === 'end') {
    await load.close()
    await store.close()
  }
  const { requests, failed, codes } = load
  process.send!({ requests, failed, codes, ...(sizes && { sizes }) } satisfies Report, () => {
    if (order === 'end') process.exit()
  })
})
process.on('disconnect', () => process.exit())
process.send!({ requests: 0, failed: 0, codes: {} } satisfies Report)
