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
import { plain } from './policy/fixture.ts'
import type { Runner } from './runner.ts'

/** Something that is wrong with a database, or with how it is asked for. */
export interface Trouble {
  /** What the calls fail with. */
  code: SessionStoreErrorCode
  /** A driver that is in trouble already, or will be once `begin` was called. Passwords in its options begin with `SECRET`. */
  driver(): Awaitable<Driver>
  /** Brings the trouble, after one session was saved. */
  begin?(): Awaitable<unknown>
  /** Ends it: all calls must work then. Called however the test ends. */
  end?(): Awaitable<unknown>
  /** What goes on working; the rest fails. Default: nothing does. */
  works?: readonly Call[]
  /** Milliseconds; as the option of a store. */
  operationTimeout?: number
}

/** Every id, payload and password of the suite begins so: no error may hold it. */
export const SECRET = 'the-secret'

const ID = `${SECRET}-id`
const session = () => plain({ name: `${SECRET}-payload` })

type Call = 'get' | 'set' | 'touch' | 'destroy' | 'list' | 'all' | 'length' | 'clear' | 'ping'

/** On ids of their own: calls of one id wait for each other. */
const calls: Readonly<Record<Call, (store: SessionStore) => Promise<unknown>>> = {
  get: (store) => store.get(ID),
  set: (store) => store.set(`${ID}-to-set`, session()),
  touch: (store) => store.touch(ID, session()),
  destroy: (store) => store.destroy(`${ID}-to-destroy`),
  list: (store) => store.list({ user: `${SECRET}-user` }),
  all: (store) => store.all(),
  length: (store) => store.length(),
  clear: (store) => store.clear(),
  ping: (store) => store.ping(),
}

/** Makes a test of each trouble: its calls fail with its code, again and again, say why and give nothing away; after it, they work. */
export function troubleSuite({ describe, it }: Runner, troubles: Readonly<Record<string, Trouble>>): void {
  describe('trouble', () => {
    for (const [name, trouble] of Object.entries(troubles))
      it(`${name}: ${trouble.code}`, () => endure(trouble))
  })
}

async function endure({ code, driver, begin, end, works = [], operationTimeout }: Trouble): Promise<void> {
  const options = { hashIds: false, pruneInterval: false, user: () => `${SECRET}-user` } as const
  const store = new SessionStore(await driver(), {
    ...options,
    ...(operationTimeout && { operationTimeout }),
  })
  try {
    try {
      if (begin) {
        await store.set(ID, session())
        await begin()
      }
      for (let round = 0; round < 2; round++)
        await Promise.all(
          (Object.keys(calls) as Call[])
            // It would leave nothing to read for the others.
            .filter((name) => name !== 'clear' || !works.includes(name))
            .map((name) => (works.includes(name) ? calls[name](store) : fails(code, name, store))),
        )
    } finally {
      await end?.()
    }
    if (end) await goesOn(store)
  } finally {
    await store.close()
  }
}

async function fails(code: SessionStoreErrorCode, name: Call, store: SessionStore): Promise<void> {
  const error: unknown = await calls[name](store).then(
    () => assert.fail(`${name} works`),
    (error: unknown) => error,
  )
  const printed = inspect(error, { depth: null, showHidden: true })
  assert.ok(error instanceof SessionStoreError, `${name} fails with another class of error: ${printed}`)
  assert.equal(error.code, code, `${name} fails otherwise: ${printed}`)
  assert.ok(!printed.includes(SECRET), `the error of ${name} gives a secret away: ${printed}`)
  // That the store itself stopped waiting has no further cause.
  if (code !== 'TIMEOUT') assert.ok(error.cause instanceof Error, `the error of ${name} does not say why`)
}

/** Waits until the database answers again; then every call works. */
async function goesOn(store: SessionStore): Promise<void> {
  const deadline = performance.now() + 30_000
  for (;;) {
    try {
      await store.set(ID, session())
      break
    } catch (error) {
      if (performance.now() > deadline) throw error
      await pause(20)
    }
  }
  for (const call of Object.values(calls)) await call(store)
  await store.set(ID, session())
  assert.deepEqual(await store.get(ID), session())
}
