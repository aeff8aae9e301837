import type { Store } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import { answer } from './broken.ts'
import type { Callback } from './shared.ts'

/** One failure, and it fails for ever. */
const failsForEver: Mutant = (store) => {
  let broken: unknown
  const told = (callback: unknown) => (error: unknown, found?: unknown) => {
    broken ??= error
    ;(callback as (...results: unknown[]) => void)(error, found)
  }
  return {
    get(id, callback) {
      if (broken) answer(callback, broken)
      else store.get(id, told(callback))
    },
    set(id, session, callback) {
      if (broken) answer(callback, broken)
      else store.set(id, session, told(callback))
    },
  }
}

/** Types leave `close` to the stores. */
const closing = (methods: Partial<Store> & { close(): void }): Partial<Store> => methods

export const lifecycle: Readonly<Record<string, Mutant>> = {
  'store/is-an-event-emitter': () => ({
    on(this: Store) {
      return this
    },
  }),
  'store/makes-sessions-for-express': () => ({ createSession: (_req, found) => found as never }),
  'store/has-the-methods-of-express': () => ({ regenerate: undefined as never }),
  'store/loads-sessions': (store) => ({
    load: (id, callback) => void store.get(id, (error, found) => callback(error, found ?? undefined)),
  }),
  'start/first-calls-at-once': (store) => {
    let ready = false
    setImmediate(() => {
      ready = true
    })
    return {
      set(id, session, callback) {
        if (ready) store.set(id, session, callback as Callback)
        else answer(callback, new Error('not connected'))
      },
    }
  },
  'start/two-processes-at-once': (() => {
    let begun = false
    return (store) => ({
      set(id, session, callback) {
        if (begun) return answer(callback, new Error('relation "session" already exists'))
        begun = true
        store.set(id, session, callback as Callback)
      },
    })
  })(),
  'outage/ends-for-the-store-too': failsForEver,
  'outage/at-the-start-is-not-for-ever': failsForEver,
  'outage/connect-follows-disconnect': (store) => ({
    get(this: Store, id, callback) {
      store.get(id, (error, found) => {
        if (error) this.emit('disconnect')
        callback(error, found)
      })
    },
  }),
  'close/twice-is-no-error': () => {
    let closed = false
    return closing({
      close() {
        if (closed) throw new Error('it was closed before')
        closed = true
      },
    })
  },
  'close/calls-after-it-are-answered': (store) => {
    let closed = false
    return closing({
      close() {
        closed = true
      },
      get(id, callback) {
        if (closed) throw new Error('it is closed')
        store.get(id, callback)
      },
    })
  },
  'close/keeps-what-was-saved-before': (store) => {
    const waiting: NodeJS.Timeout[] = []
    return closing({
      close() {
        for (const timer of waiting) clearTimeout(timer)
      },
      set(id, session, callback) {
        waiting.push(setTimeout(() => store.set(id, session, () => {}), 50))
        answer(callback)
      },
    })
  },
  'close/leaves-the-other-stores-open': (() => {
    let closed = false
    return (store) =>
      closing({
        close() {
          closed = true
        },
        get(id, callback) {
          if (closed) answer(callback, new Error('the connection is closed'))
          else store.get(id, callback)
        },
      })
  })(),
}
