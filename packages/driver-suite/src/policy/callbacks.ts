import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import type { SessionStore, SessionStoreErrorCode } from '@session-stores/core'
import { fails, plain, quiet, ruleOf, type StoreRule } from './fixture.ts'

const rule = ruleOf('policy/callbacks')

/** How the store answers: callbacks, promises, async context. */

type Callback = (...args: unknown[]) => void

interface Verb {
  name: string
  call(store: SessionStore, callback?: Callback): unknown
  /** What the callback gets, or a check of it. */
  answer: unknown[]
  fail(store: SessionStore, callback?: Callback): unknown
  code: SessionStoreErrorCode
  /** It fails only when the store is closed. */
  closed?: boolean
}

const ID = 'the-session-id'

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
    call: (store, callback) => store.set(ID, plain({ name: 'Ada' }), callback),
    answer: [null],
    fail: (store, callback) => store.set(ID, plain({ count: 1n }), callback),
    code: 'NOT_SERIALIZABLE',
  },
  {
    name: 'touch',
    call: (store, callback) => store.touch(ID, plain(), callback),
    answer: [null],
    fail: (store, callback) => store.touch(7 as never, plain(), callback),
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

/** What the callback got, each time; it must come later than the call. */
async function answers(call: (callback: Callback) => unknown): Promise<unknown[][]> {
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
  await quiet()
  return got
}

export const callbacks: StoreRule[] = [
  ...verbs.flatMap(({ name, call, answer, fail, code, closed }): StoreRule[] => [
    rule(
      `${name}-calls-back-once-and-later`,
      'A callback that comes twice sends two responses; one that comes at once runs before its caller is ready; none hangs the request.',
      async ({ one }) => {
        const store = one()
        // A driver's own result must not slip through.
        assert.deepEqual(
          (await answers((callback) => call(store, callback))).map((args) =>
            args.filter((arg) => arg !== undefined),
          ),
          [answer],
        )
      },
    ),
    rule(
      `${name}-that-fails-calls-back-once-and-later`,
      'An error that is thrown, or told twice or never, ends the process or hangs the request.',
      async ({ one }) => {
        const store = one()
        if (closed) await store.close()
        const got = await answers((callback) => fail(store, callback))
        assert.equal(got.length, 1)
        assert.equal(got[0]!.length, 1, 'an error comes alone')
        await fails(code, Promise.reject(got[0]![0]))
      },
    ),
    rule(
      `${name}-without-a-callback-is-a-promise`,
      'Code that awaits the store goes on before it answered, or never learns that it failed.',
      async ({ one }) => {
        const store = one()
        const promise = call(store)
        assert.ok(promise instanceof Promise)
        assert.deepEqual(await promise, answer[1])
        if (closed) await store.close()
        await fails(code, fail(store) as Promise<unknown>)
      },
    ),
    rule(
      `${name}-that-nobody-waits-for-may-fail`,
      'express-session destroys without a callback: a failure that nobody handles ends the process.',
      async ({ one }) => {
        const store = one()
        if (closed) await store.close()
        const unhandled: unknown[] = []
        const heard = (error: unknown) => void unhandled.push(error)
        process.on('unhandledRejection', heard)
        try {
          fail(store)
          await fails(code, fail(store) as Promise<unknown>)
          await quiet()
        } finally {
          process.off('unhandledRejection', heard)
        }
        assert.deepEqual(unhandled, [])
      },
    ),
    rule(
      `${name}-calls-back-in-its-callers-async-context`,
      'Logs, traces and tenants of one request show up in another, whose call travelled in the same batch.',
      async ({ one }) => {
        const store = one()
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
    async ({ one }) => {
      const store = one()
      await store.set(ID, plain({ name: 'Ada' }))
      const got = await answers((callback) => store.get(ID, callback as never))
      assert.equal(got.length, 1)
      assert.equal(got[0]![0], null)
      assert.deepEqual(got[0]![1], plain({ name: 'Ada' }))
    },
  ),
  rule(
    'a-callback-that-throws-takes-no-other-answer-along',
    'A mistake in one request hangs the others, whose calls travelled in the same batch.',
    async ({ one }) => {
      const store = one()
      await store.set(ID, plain({ name: 'Ada' }))
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
        await quiet()
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
