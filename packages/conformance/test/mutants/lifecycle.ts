import type { Store } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import { answer, type Callback } from './shared.ts'

/** Fails every call after the first failure. */
const failsForEver: Mutant = (store) => {
  let failure: unknown
  const remember = (callback: unknown) => (error: unknown, found?: unknown) => {
    failure ??= error
    ;(callback as (...results: unknown[]) => void)(error, found)
  }
  return {
    get(id, callback) {
      if (failure) answer(callback, failure)
      else store.get(id, remember(callback))
    },
    set(id, session, callback) {
      if (failure) answer(callback, failure)
      else store.set(id, session, remember(callback))
    },
  }
}

/** Lets a mutant replace `close`, which the types of express-session do not know. */
const withClose = (methods: Partial<Store> & { close(): void }): Partial<Store> => methods

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
    return withClose({
      close() {
        if (closed) throw new Error('it was closed before')
        closed = true
      },
    })
  },
  'close/calls-after-it-are-answered': (store) => {
    let closed = false
    return withClose({
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
    return withClose({
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
      withClose({
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
