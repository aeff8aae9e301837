import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { HOUR, runInChunks } from '../common.ts'
import type { Remote } from '../deployment.ts'
import type { Stores } from '../policy/fixture.ts'
import { makeFresh, save } from '../policy/sessions.ts'
import type { Rule } from '../runner.ts'
import { AT_ONCE, LATE_CALLS, type LateName, ROUNDS, WHY } from './late.ts'
import type { Order, Report } from './process.ts'

/**
 * A slow request in another process reads a session, this process ends it, and the slow request
 * saves it.
 */

async function race(stores: Stores, remote: Remote, late: LateName): Promise<void> {
  const store = stores.open({ tombstoneTimeout: HOUR })
  await using process = startProcess(remote)
  let revived = 0
  let gone = 0
  for (let round = 0; round < ROUNDS; round++) {
    const ids = Array.from({ length: AT_ONCE }, (_, i) => `${round}-${i}`)
    await Promise.all(ids.map((id) => save(makeFresh(store, id, { name: 'Ada' }))))
    // The other process starts from the other end, so that both meet somewhere on the way.
    await process.order({ read: ids.toReversed() })
    const [report] = await Promise.all([
      process.order({ late }),
      runInChunks(ids, 10, (id) => store.destroy(id)),
    ])
    gone += report.gone
    await Promise.all(ids.map(async (id) => ((await store.get(id)) === null ? 0 : revived++)))
    assert.equal(await store.length(), revived)
  }
  assert.equal(revived, 0, 'sessions came back after they were ended')
  // Some late calls must be too late and some in time, or there was no race. A touch does not
  // report this.
  if (late !== 'touch') assert.ok(gone > 0 && gone < ROUNDS * AT_ONCE, `${gone} saves came too late`)
}

/** The program is beside this file, both in the source and in the build. */
const PROGRAM = import.meta.url.endsWith('.ts') ? './process.ts' : './process.mjs'

function startProcess({ module, config }: Remote) {
  const child = fork(new URL(PROGRAM, import.meta.url), [module, JSON.stringify(config)], {
    execArgv: [],
    silent: true,
  })
  let complaint = ''
  child.stderr!.on('data', (text) => {
    complaint += text
  })
  // The event is `exit`, because `close` never comes after the parent has disconnected.
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the other process exited with code ${code}: ${complaint}`)
  })
  ended.catch(() => {})
  return {
    async order(order: Order): Promise<Report> {
      child.send(order)
      const [report] = (await Promise.race([once(child, 'message'), ended])) as [Report]
      return report
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      await ended.catch(() => {})
    },
  }
}

const names = Object.keys(LATE_CALLS) as LateName[]

export const processes: readonly Rule<Stores & { remote: Remote }>[] = names.map((late) => ({
  id: `race/processes/destroy-is-final-beside-a-${late}-in-another-process`,
  why: WHY,
  check: ({ remote, ...stores }) => race(stores, remote, late),
}))
