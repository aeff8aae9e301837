import assert from 'node:assert/strict'
import type { Channel } from 'node:diagnostics_channel'
import { setImmediate as turn } from 'node:timers/promises'
import {
  type Driver,
  SessionStore,
  SessionStoreError,
  type SessionStoreErrorCode,
  type StoreOptions,
} from '@session-stores/core'
import session, { type Session, type SessionData } from 'express-session'
import type { Deployment, MakeDeployment } from '../deployment.ts'
import type { Rule } from '../runner.ts'

/** What a rule works with: stores in two processes, as it were, on one empty database. */
export interface Stores {
  /** A store in the first process. It asks `clock` for the time and never prunes by itself. */
  one(options?: StoreOptions): SessionStore
  /** A store in the second process. */
  other(options?: StoreOptions): SessionStore
  /** A store on a driver of the rule's own, such as one that loses replies of a driver of the first process. */
  on(driver: Driver, options?: StoreOptions): SessionStore
  drivers: readonly [Driver, Driver]
  /** The time of the machine when the rule began; a rule moves it ahead, by hours (see `Fixture.now`). */
  clock: { now: number }
  dump(): Promise<Buffer>
}

export type StoreRule = Rule<Stores>

/** A short way to write the rules of one suite. */
export const ruleOf =
  (suite: string) =>
  (id: string, why: string, check: StoreRule['check']): StoreRule => ({ id: `${suite}/${id}`, why, check })

export const MINUTE = 60_000
export const HOUR = 3_600_000
export const DAY = 86_400_000

export type Data = SessionData & Record<string, unknown>
export type RequestSession = Session & Data

/** A plain session, as a script or another framework saves one: a cookie without a deadline, unless told otherwise. */
export function plain(data: object = {}, cookie: object = {}): Data {
  return {
    cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/', ...cookie },
    ...data,
  } as Data
}

/** A session that express-session has just generated for a request. */
export function fresh(store: SessionStore, id: string, data: object = {}, cookie?: object): RequestSession {
  // The types keep both constructors to express-session itself.
  const Generated = session.Session as unknown as new (req: object) => RequestSession
  const Cookie = session.Cookie as unknown as new (options?: object) => RequestSession['cookie']
  const generated = new Generated({ sessionID: id, sessionStore: store })
  generated.cookie = new Cookie(cookie)
  return Object.assign(generated, data)
}

/** The session as express-session reads it for a request. Its `save` goes to the store that read it. */
export async function load(store: SessionStore, id: string): Promise<RequestSession> {
  const found = await store.get(id)
  assert.ok(found, 'the session is there')
  return store.createSession({ sessionID: id, sessionStore: store } as never, found) as RequestSession
}

/** As `req.session.save(callback)`. */
export function save(loaded: Session): Promise<void> {
  return new Promise((resolve, reject) => {
    loaded.save((error) => (error ? reject(error) : resolve()))
  })
}

/** Without its cookie. */
export function dataOf(found: SessionData | null | undefined): Record<string, unknown> | null | undefined {
  if (!found) return found
  const { cookie, ...data } = found
  return data
}

/** What the session holds, besides its cookie; `null` for one that is not there. */
export const read = async (store: SessionStore, id: string): Promise<Record<string, unknown> | null> =>
  dataOf(await store.get(id)) as Record<string, unknown> | null

/** When the session ends, as `get` says, in epoch milliseconds. */
export async function deadline(store: SessionStore, id: string): Promise<number> {
  const expires = (await store.get(id))?.cookie.expires
  assert.ok(expires instanceof Date, 'the cookie has a deadline')
  return expires.getTime()
}

/** Rejects with this code, an error of the stores' class, and a message that holds none of the `secrets`. */
export async function fails(
  code: SessionStoreErrorCode,
  call: Promise<unknown>,
  ...secrets: string[]
): Promise<SessionStoreError> {
  let failure: unknown
  try {
    await call
  } catch (error) {
    failure = error
  }
  assert.ok(failure !== undefined, `does not fail with ${code}`)
  assert.ok(failure instanceof SessionStoreError, `fails with another class of error: ${failure}`)
  assert.equal(failure.code, code)
  for (const secret of secrets)
    assert.ok(!failure.message.includes(secret), 'the message gives a secret away')
  return failure
}

/** Lets everything run that is on its way within this process. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 5; i++) await turn()
}

/** What is published on this channel during the work. */
export async function published<T>(channel: Channel, work: () => Promise<unknown>): Promise<T[]> {
  const messages: T[] = []
  const heard = (message: unknown) => void messages.push(message as T)
  channel.subscribe(heard)
  try {
    await work()
  } finally {
    channel.unsubscribe(heard)
  }
  return messages
}

/** Calls `check` with stores on a new deployment, and closes all of it. */
export async function withStores(
  make: MakeDeployment,
  check: (stores: Stores, deployment: Deployment) => Promise<void>,
  open: (driver: Driver, options: StoreOptions) => SessionStore = (driver, options) =>
    new SessionStore(driver, options),
): Promise<void> {
  const deployment = await make({})
  const { drivers, dispose } = deployment
  const clock = { now: Date.now() }
  const on =
    (driver: Driver) =>
    (options: StoreOptions = {}) =>
      open(driver, { pruneInterval: false, now: () => clock.now, ...options })
  const dump = async () => Buffer.from((await (deployment.dump?.() ?? rowsOf(drivers[0]))) as Uint8Array)
  async function end(): Promise<void> {
    for (const driver of drivers) await driver.close()
    await dispose?.()
  }
  try {
    await check(
      {
        one: on(drivers[0]),
        other: on(drivers[1]),
        on: (driver, options) => on(driver)(options),
        drivers,
        clock,
        dump,
      },
      deployment,
    )
  } catch (error) {
    // What is broken may fail to close as well; the first failure tells more.
    await end().catch(() => {})
    throw error
  }
  await end()
}

async function rowsOf(driver: Driver): Promise<string> {
  const rows: unknown[] = []
  let after: string | undefined
  do {
    const { keys, next } = await driver.list({ after, limit: 1000 })
    if (keys.length > 0) rows.push(await driver.read([...new Set(keys)].sort()))
    after = next
  } while (after !== undefined)
  return JSON.stringify(rows)
}
