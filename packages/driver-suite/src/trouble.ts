import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'
import {
  type Awaitable,
  type Driver,
  SessionStore,
  SessionStoreError,
  type SessionStoreErrorCode,
} from '@session-stores/core'
import { makePlain } from './policy/sessions.ts'
import type { Runner } from './runner.ts'

/** Something that is wrong with a database, or with the way in which a driver reaches it. */
export interface Trouble {
  /** The code of the errors with which the calls fail. */
  code: SessionStoreErrorCode
  /**
   * Makes a driver that is in trouble already, or will be after `begin`. Passwords in its options
   * must begin with `SECRET`.
   */
  driver(): Awaitable<Driver>
  /** Brings the trouble. It is called after one session was saved. */
  begin?(): Awaitable<unknown>
  /** Ends the trouble: afterwards every call must work. It is called even when the test fails. */
  end?(): Awaitable<unknown>
  /**
   * The calls that go on working. All others must fail.
   *
   * @default []
   */
  works?: readonly Call[]
  /** The `operationTimeout` of the store, in milliseconds. The default is that of the store. */
  operationTimeout?: number
}

/**
 * The beginning of every id, user, payload and password in `troubleSuite`. No error may contain it.
 */
export const SECRET = 'the-secret'

const ID = `${SECRET}-id`
const makeSession = () => makePlain({ name: `${SECRET}-payload` })

type Call = 'get' | 'set' | 'touch' | 'destroy' | 'list' | 'all' | 'length' | 'clear' | 'ping'

/** Writing calls use ids of their own, because calls for one id wait for each other. */
const calls: Readonly<Record<Call, (store: SessionStore) => Promise<unknown>>> = {
  get: (store) => store.get(ID),
  set: (store) => store.set(`${ID}-to-set`, makeSession()),
  touch: (store) => store.touch(ID, makeSession()),
  destroy: (store) => store.destroy(`${ID}-to-destroy`),
  list: (store) => store.list({ user: `${SECRET}-user` }),
  all: (store) => store.all(),
  length: (store) => store.length(),
  clear: (store) => store.clear(),
  ping: (store) => store.ping(),
}

/**
 * Declares a test for each trouble. During the trouble every call of a store must fail with its
 * `code`, each time, with a cause and without `SECRET` in the error. After `end`, every call must
 * work again.
 *
 * @param troubles The troubles by name; the name and the code are the title of the test.
 * @example
 * troubleSuite({ describe, it }, {
 *   'a wrong password': {
 *     code: 'ACCESS_DENIED',
 *     driver: () => myDriver({ password: `${SECRET}-wrong` }),
 *   },
 * })
 */
export function troubleSuite({ describe, it }: Runner, troubles: Readonly<Record<string, Trouble>>): void {
  describe('trouble', () => {
    for (const [name, trouble] of Object.entries(troubles))
      it(`${name}: ${trouble.code}`, () => checkTrouble(trouble))
  })
}

async function checkTrouble(trouble: Trouble): Promise<void> {
  const { code, driver, begin, end, works = [], operationTimeout } = trouble
  const options = { hashIds: false, pruneInterval: false, user: () => `${SECRET}-user` } as const
  const store = new SessionStore(await driver(), {
    ...options,
    ...(operationTimeout && { operationTimeout }),
  })
  try {
    try {
      if (begin) {
        await store.set(ID, makeSession())
        await begin()
      }
      for (let round = 0; round < 2; round++)
        await Promise.all(
          (Object.keys(calls) as Call[])
            // A `clear` that works would leave nothing for the other calls to read.
            .filter((name) => name !== 'clear' || !works.includes(name))
            .map((name) => (works.includes(name) ? calls[name](store) : assertFails(code, name, store))),
        )
    } finally {
      await end?.()
    }
    if (end) await assertRecovers(store)
  } finally {
    await store.close()
  }
}

async function assertFails(code: SessionStoreErrorCode, name: Call, store: SessionStore): Promise<void> {
  const error: unknown = await calls[name](store).then(
    () => assert.fail(`${name} succeeds`),
    (error: unknown) => error,
  )
  const printed = inspect(error, { depth: null, showHidden: true })
  assert.ok(error instanceof SessionStoreError, `${name} fails with another class of error: ${printed}`)
  assert.equal(error.code, code, `${name} fails with another code: ${printed}`)
  assert.ok(!printed.includes(SECRET), `the error of ${name} contains a secret: ${printed}`)
  // A timeout of the store itself has no further cause.
  if (code !== 'TIMEOUT') assert.ok(error.cause instanceof Error, `the error of ${name} has no cause`)
}

/** Waits until the database answers again, and then checks that every call works. */
async function assertRecovers(store: SessionStore): Promise<void> {
  const deadline = performance.now() + 30_000
  for (;;) {
    try {
      await store.set(ID, makeSession())
      break
    } catch (error) {
      if (performance.now() > deadline) throw error
      await pause(20)
    }
  }
  for (const call of Object.values(calls)) await call(store)
  await store.set(ID, makeSession())
  assert.deepEqual(await store.get(ID), makeSession())
}
