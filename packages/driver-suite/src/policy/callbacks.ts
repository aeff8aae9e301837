import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import type { SessionStore, SessionStoreErrorCode } from '@session-stores/core'
import { assertFails, prefixRules, recordErrors, type StoreRule, settle } from './fixture.ts'
import { ID, makePlain } from './sessions.ts'

/** Rules about how the store answers: by callback or promise, and in the right async context. */

const rule = prefixRules('policy/callbacks')

type Callback = (...args: unknown[]) => void

interface Verb {
  name: string
  call(store: SessionStore, callback?: Callback): unknown
  /** The arguments that the callback must get. */
  answer: unknown[]
  fail(store: SessionStore, callback?: Callback): unknown
  code: SessionStoreErrorCode
  /** Whether the verb fails only when the store is closed. */
  closed?: boolean
}

const verbs: Verb[] = [
  {
    name: 'get',
    call: (store, callback) => store.get('nobody', callback as never),
    answer: [null, null],
    fail: (store, callback) => store.get(7 as never, callback as never),
    code: 'INVALID_ID',
  },
  {
    name: 'set',
    call: (store, callback) => store.set(ID, makePlain({ name: 'Ada' }), callback),
    answer: [null],
    fail: (store, callback) => store.set(ID, makePlain({ count: 1n }), callback),
    code: 'NOT_SERIALIZABLE',
  },
  {
    name: 'touch',
    call: (store, callback) => store.touch(ID, makePlain(), callback),
    answer: [null],
    fail: (store, callback) => store.touch(7 as never, makePlain(), callback),
    code: 'INVALID_ID',
  },
  {
    name: 'destroy',
    call: (store, callback) => store.destroy(ID, callback),
    answer: [null],
    fail: (store, callback) => store.destroy(7 as never, callback),
    code: 'INVALID_ID',
  },
  {
    name: 'all',
    call: (store, callback) => store.all(callback as never),
    answer: [null, {}],
    fail: (store, callback) => store.all(callback as never),
    code: 'CLOSED',
    closed: true,
  },
  {
    name: 'ids',
    call: (store, callback) => store.ids(callback as never),
    answer: [null, []],
    fail: (store, callback) => store.ids(callback as never),
    code: 'CLOSED',
    closed: true,
  },
  {
    name: 'length',
    call: (store, callback) => store.length(callback as never),
    answer: [null, 0],
    fail: (store, callback) => store.length(callback as never),
    code: 'CLOSED',
    closed: true,
  },
  {
    name: 'clear',
    call: (store, callback) => store.clear(callback),
    answer: [null],
    fail: (store, callback) => store.clear(callback),
    code: 'CLOSED',
    closed: true,
  },
]

/**
 * Returns the arguments of each callback. Rejects when the first callback comes before the call has
 * returned.
 */
async function recordAnswers(call: (callback: Callback) => unknown): Promise<unknown[][]> {
  const got: unknown[][] = []
  let returned = false
  await new Promise<void>((resolve, reject) => {
    call((...args) => {
      got.push(args)
      if (returned) resolve()
      else reject(new Error('the callback came before the call returned'))
    })
    returned = true
  })
  await settle()
  return got
}

export const callbacks: StoreRule[] = [
  ...verbs.flatMap(({ name, call, answer, fail, code, closed }): StoreRule[] => [
    rule(
      `${name}-calls-back-once-and-later`,
      'A callback that comes twice sends two responses; one that comes at once runs before its caller is ready; none hangs the request.',
      async ({ open }) => {
        const store = open()
        // `undefined` is ignored, but a result of the driver must not get into the callback.
        assert.deepEqual(
          (await recordAnswers((callback) => call(store, callback))).map((args) =>
            args.filter((arg) => arg !== undefined),
          ),
          [answer],
        )
      },
    ),
    rule(
      `${name}-that-fails-calls-back-once-and-later`,
      'An error that is thrown, or told twice or never, ends the process or hangs the request.',
      async ({ open }) => {
        const store = open()
        if (closed) await store.close()
        const got = await recordAnswers((callback) => fail(store, callback))
        assert.equal(got.length, 1)
        assert.equal(got[0]!.length, 1, 'an error comes alone')
        await assertFails(code, Promise.reject(got[0]![0]))
      },
    ),
    rule(
      `${name}-without-a-callback-is-a-promise`,
      'Code that awaits the store goes on before it answered, or never learns that it failed.',
      async ({ open }) => {
        const store = open()
        const promise = call(store)
        assert.ok(promise instanceof Promise)
        assert.deepEqual(await promise, answer[1])
        if (closed) await store.close()
        await assertFails(code, fail(store) as Promise<unknown>)
      },
    ),
    rule(
      `${name}-that-nobody-waits-for-may-fail`,
      'express-session destroys without a callback: a failure that nobody handles ends the process.',
      async ({ open }) => {
        const store = open()
        if (closed) await store.close()
        const unhandled = await recordErrors('unhandledRejection', async () => {
          fail(store)
          await assertFails(code, fail(store) as Promise<unknown>)
        })
        assert.deepEqual(unhandled, [])
      },
    ),
    rule(
      `${name}-calls-back-in-its-callers-async-context`,
      'Logs, traces and tenants of one request show up in another, whose call travelled in the same batch.',
      async ({ open }) => {
        const store = open()
        const context = new AsyncLocalStorage<number>()
        const seen = await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            context.run(
              i,
              () =>
                new Promise((resolve) => {
                  call(store, () => resolve(context.getStore()))
                }),
            ),
          ),
        )
        assert.deepEqual(
          seen,
          Array.from({ length: 20 }, (_, i) => i),
        )
      },
    ),
  ]),
  rule(
    'get-of-a-session-calls-back-once-and-later',
    'A callback that comes twice sends two responses; one that comes at once runs before its caller is ready.',
    async ({ open }) => {
      const store = open()
      await store.set(ID, makePlain({ name: 'Ada' }))
      const got = await recordAnswers((callback) => store.get(ID, callback as never))
      assert.equal(got.length, 1)
      assert.equal(got[0]![0], null)
      assert.deepEqual(got[0]![1], makePlain({ name: 'Ada' }))
    },
  ),
  rule(
    'a-callback-that-throws-takes-no-other-answer-along',
    'A mistake in one request hangs the others, whose calls travelled in the same batch.',
    async ({ open }) => {
      const store = open()
      await store.set(ID, makePlain({ name: 'Ada' }))
      const thrown: unknown[] = []
      process.setUncaughtExceptionCaptureCallback((error) => void thrown.push(error))
      try {
        const names = await Promise.all(
          Array.from(
            { length: 10 },
            (_, i) =>
              new Promise((resolve) => {
                store.get(ID, (_error, found) => {
                  resolve((found as unknown as { name: string }).name)
                  if (i % 2) throw new Error(`callback ${i}`)
                })
              }),
          ),
        )
        await settle()
        assert.deepEqual(names, Array(10).fill('Ada'))
      } finally {
        process.setUncaughtExceptionCaptureCallback(null)
      }
      assert.deepEqual(
        thrown.map((error) => (error as Error).message),
        ['callback 1', 'callback 3', 'callback 5', 'callback 7', 'callback 9'],
      )
    },
  ),
]
