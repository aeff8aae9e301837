import type { Mutant } from '../support/reference.ts'
import { answer, makeSimple } from './shared.ts'

/** Batches the reads of one turn of the event loop with the global timer of that time. */
const batchesReads: Mutant = (store) => {
  let waiting: (() => void)[] | undefined
  return {
    get(id, callback) {
      if (waiting === undefined) {
        waiting = []
        setImmediate(() => {
          const calls = waiting!
          waiting = undefined
          for (const call of calls) call()
        })
      }
      waiting.push(() => store.get(id, callback))
    },
  }
}

// This copy is not replaced when the tests of an application replace `Date`.
const { now } = Date

export const clocks: Readonly<Record<string, Mutant>> = {
  'clocks/fake-timers-leave-a-store-that-works': batchesReads,
  'clocks/a-fake-clock-is-followed': makeSimple((rows) => ({
    get(id, callback) {
      const row = rows.get(id)
      const isLive = row !== undefined && Date.parse(JSON.parse(row).cookie.expires) > now()
      answer(callback, null, isLive ? JSON.parse(row) : null)
    },
  })),
}
