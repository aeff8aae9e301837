import type { Mutant } from '../support/reference.ts'
import { type Callback, copy, hangsOnReadErrors, hidesReadErrors } from './shared.ts'

type AnyCallback = (error: unknown, found?: unknown) => void

/** Calls back twice. */
const callBackTwice =
  (verb: 'get' | 'set' | 'touch' | 'destroy'): Mutant =>
  (store) => ({
    [verb](...args: unknown[]) {
      const callback = args.pop() as AnyCallback
      ;(store[verb] as (...args: unknown[]) => void)(...args, (error: unknown, found: unknown) => {
        callback(error, found)
        setTimeout(callback, 10, error, found)
      })
    },
  })

/** Throws if there is no callback. */
const requireCallback =
  (verb: 'set' | 'touch' | 'destroy'): Mutant =>
  (store) => ({
    [verb](...args: unknown[]) {
      const callback = args[verb === 'destroy' ? 1 : 2] as Callback
      ;(store[verb] as (...args: unknown[]) => void)(...args.slice(0, verb === 'destroy' ? 1 : 2), () =>
        callback(),
      )
    },
  })

/** Throws if JSON cannot hold the session. */
const throwsOnJson: Mutant = (store) => ({
  set(id, session, callback) {
    JSON.stringify(session)
    store.set(id, session, callback as Callback)
  },
})

export const callbacks: Readonly<Record<string, Mutant>> = {
  'callbacks/set-calls-back-once': callBackTwice('set'),
  'callbacks/get-calls-back-once': callBackTwice('get'),
  'callbacks/touch-calls-back-once': callBackTwice('touch'),
  'callbacks/destroy-calls-back-once': callBackTwice('destroy'),
  'callbacks/asynchronous': (store) => ({
    touch(id, session, callback) {
      callback?.()
      store.touch(id, session, () => {})
    },
  }),
  'callbacks/destroy-needs-none': requireCallback('destroy'),
  'callbacks/set-needs-none': requireCallback('set'),
  'callbacks/touch-needs-none': requireCallback('touch'),
  'callbacks/nothing-but-an-error': (store) => ({
    set: (id, session, callback) =>
      void store.set(id, session, (error) => (callback as AnyCallback)(error, { changes: 1 })),
  }),
  'callbacks/a-miss-is-nothing': (store) => ({
    get: (id, callback) => void store.get(id, (error, found) => callback(error, found ?? (false as never))),
  }),
  'callbacks/a-bigint-is-an-error': throwsOnJson,
  'callbacks/a-circle-is-an-error': throwsOnJson,
  'callbacks/an-object-that-throws-fails-alone': (store) => {
    const busy = new Set<string>()
    return {
      set(id, session, callback) {
        // After a call that throws, the session stays busy for ever.
        if (busy.has(id)) return
        busy.add(id)
        store.set(id, copy(session), (error) => {
          busy.delete(id)
          callback?.(error)
        })
      },
    }
  },
}

export const troubles: Readonly<Record<string, Mutant>> = {
  'outage/a-read-is-an-error': hidesReadErrors,
  'outage/a-save-is-an-error': (store) => ({
    destroy: (id, callback) => void store.destroy(id, () => callback?.()),
  }),
  'outage/nobody-waits-for-a-destroy': (store) => ({
    destroy(id, callback) {
      const gone = new Promise<void>((resolve, reject) => {
        store.destroy(id, (error) => (error ? reject(error) : resolve()))
      })
      if (callback) gone.then(() => callback(), callback)
    },
  }),
  'outage/silence-ends': hangsOnReadErrors,
  'outage/gives-nothing-away': (store) => ({
    set: (id, session, callback) =>
      void store.set(id, session, (error) =>
        callback?.(error && new Error(`could not save ${id}: ${JSON.stringify(session)}`)),
      ),
  }),
  'corrupt/a-read-calls-back': (store) => ({
    get: (id, callback) =>
      void store.get(id, (error, found) => {
        if (error) setImmediate(() => JSON.parse('{"cookie":'))
        else callback(null, found)
      }),
  }),
  'corrupt/can-be-replaced': (store) => ({
    destroy: (id, callback) =>
      void store.get(id, (error) => (error ? callback?.(error) : store.destroy(id, callback as Callback))),
  }),
}
