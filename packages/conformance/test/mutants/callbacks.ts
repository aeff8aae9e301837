import type { Mutant } from '../support/reference.ts'
import type { Callback } from './shared.ts'

type Answer = (error: unknown, found?: unknown) => void

/** Answers twice. */
const twice =
  (verb: 'get' | 'set' | 'touch' | 'destroy'): Mutant =>
  (store) => ({
    [verb](...args: unknown[]) {
      const callback = args.pop() as Answer
      ;(store[verb] as (...args: unknown[]) => void)(...args, (error: unknown, found: unknown) => {
        callback(error, found)
        setTimeout(callback, 10, error, found)
      })
    },
  })

/** Takes a callback for granted. */
const wants =
  (verb: 'set' | 'touch' | 'destroy'): Mutant =>
  (store) => ({
    [verb](...args: unknown[]) {
      const callback = args[verb === 'destroy' ? 1 : 2] as Callback
      ;(store[verb] as (...args: unknown[]) => void)(...args.slice(0, verb === 'destroy' ? 1 : 2), () =>
        callback(),
      )
    },
  })

const serializes: Mutant = (store) => ({
  set(id, session, callback) {
    JSON.stringify(session)
    store.set(id, session, callback as Callback)
  },
})

/** A failure is told as nothing. */
const silent: Mutant = (store) => ({
  get: (id, callback) => void store.get(id, (error, found) => callback(null, error ? null : found)),
})

export const callbacks: Readonly<Record<string, Mutant>> = {
  'callbacks/set-calls-back-once': twice('set'),
  'callbacks/get-calls-back-once': twice('get'),
  'callbacks/touch-calls-back-once': twice('touch'),
  'callbacks/destroy-calls-back-once': twice('destroy'),
  'callbacks/asynchronous': (store) => ({
    touch(id, session, callback) {
      callback?.()
      store.touch(id, session, () => {})
    },
  }),
  'callbacks/destroy-needs-none': wants('destroy'),
  'callbacks/set-needs-none': wants('set'),
  'callbacks/touch-needs-none': wants('touch'),
  'callbacks/nothing-but-an-error': (store) => ({
    set: (id, session, callback) =>
      void store.set(id, session, (error) => (callback as Answer)(error, { changes: 1 })),
  }),
  'callbacks/a-miss-is-nothing': (store) => ({
    get: (id, callback) => void store.get(id, (error, found) => callback(error, found ?? (false as never))),
  }),
  'callbacks/a-bigint-is-an-error': serializes,
  'callbacks/a-circle-is-an-error': serializes,
  'callbacks/an-object-that-throws-fails-alone': (store) => {
    const busy = new Set<string>()
    return {
      set(id, session, callback) {
        // Nobody ends the turn of a call that throws.
        if (busy.has(id)) return
        busy.add(id)
        const copy = JSON.parse(JSON.stringify(session))
        store.set(id, copy, (error) => {
          busy.delete(id)
          callback?.(error)
        })
      },
    }
  },
}

export const troubles: Readonly<Record<string, Mutant>> = {
  'outage/a-read-is-an-error': silent,
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
  'outage/silence-ends': (store) => ({
    get: (id, callback) =>
      void store.get(id, (error, found) => {
        if (!error) callback(null, found)
      }),
  }),
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
