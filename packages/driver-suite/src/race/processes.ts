import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Remote } from '../deployment.ts'
import { fresh, HOUR, type Stores, save } from '../policy/fixture.ts'
import type { Rule } from '../runner.ts'
import { chunks, LATE, type LateName } from './late.ts'
import type { Order, Report } from './process.ts'

/** A slow request in another process reads the session, one in this process ends it, the slow one saves. */

const ROUNDS = 5
const AT_ONCE = 500

async function race(stores: Stores, remote: Remote, late: LateName): Promise<void> {
  const store = stores.one({ tombstoneTimeout: HOUR })
  await using process = start(remote)
  let revived = 0
  let gone = 0
  for (let round = 0; round < ROUNDS; round++) {
    const ids = Array.from({ length: AT_ONCE }, (_, i) => `${round}-${i}`)
    await Promise.all(ids.map((id) => save(fresh(store, id, { name: 'Ada' }))))
    // The other process goes from the other end: they meet somewhere on the way.
    await process.order({ read: ids.toReversed() })
    const [report] = await Promise.all([process.order({ late }), chunks(ids, (id) => store.destroy(id))])
    gone += report.gone
    await Promise.all(ids.map(async (id) => ((await store.get(id)) === null ? 0 : revived++)))
    assert.equal(await store.length(), revived)
  }
  assert.equal(revived, 0, 'sessions came back after they were ended')
  // A touch does not tell. The others came too late sometimes and in time sometimes, or it was no race.
  if (late !== 'touch') assert.ok(gone > 0 && gone < ROUNDS * AT_ONCE, `${gone} saves came too late`)
}

/** Beside this file, as a source or built. */
const PROGRAM = import.meta.url.endsWith('.ts') ? './process.ts' : './process.mjs'

function start({ module, config }: Remote) {
  const child = fork(new URL(PROGRAM, import.meta.url), [module, JSON.stringify(config)], {
    execArgv: [],
    silent: true,
  })
  let complaint = ''
  child.stderr!.on('data', (text) => {
    complaint += text
  })
  // Not `close`: that never comes where it was the parent who disconnected.
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the other process ended with ${code}: ${complaint}`)
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

const why =
  'Who has logged out is logged in again: whoever stole the cookie, or sits down at the computer next, goes on.'

export const processes: readonly Rule<Stores & { remote: Remote }>[] = (Object.keys(LATE) as LateName[]).map(
  (late) => ({
    id: `race/processes/destroy-is-final-beside-a-${late}-in-another-process`,
    why,
    check: ({ remote, ...stores }) => race(stores, remote, late),
  }),
)
