import type { Mutant } from '../support/reference.ts'
import { answer, crude } from './broken.ts'

/** Reads together what is asked for in one turn of the event loop, by the timers that it finds then. */
const readsTogether: Mutant = (store) => {
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

// What an application fakes later does not reach this one.
const { now } = Date

export const clocks: Readonly<Record<string, Mutant>> = {
  'clocks/fake-timers-leave-a-store-that-works': readsTogether,
  'clocks/a-fake-clock-is-followed': crude((rows) => ({
    get(id, callback) {
      const row = rows.get(id)
      const isLive = row !== undefined && Date.parse(JSON.parse(row).cookie.expires) > now()
      answer(callback, null, isLive ? JSON.parse(row) : null)
    },
  })),
}
