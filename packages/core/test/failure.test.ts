import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { SessionData } from 'express-session'
import { describe, it } from 'vitest'
import {
  type Driver,
  events,
  memoryDriver,
  type PruneEvent,
  type Row,
  SessionStore,
  SessionStoreError,
  type SessionStoreErrorCode,
  type StoreOptions,
  type Write,
} from '../src/index.ts'

/** What the store does when its driver does not do what it should. */

const ID = 'the-session-id'

/** A driver whose faults come and go: what is among them is done instead of what the reference driver does. */
function faulty(faults: Partial<Driver> = {}) {
  const driver = memoryDriver()
  const made = { ...driver, faults }
  for (const verb of Object.keys(driver) as (keyof Driver)[])
    if (verb !== 'name')
      Object.assign(made, {
        [verb]: (...args: never[]) =>
          ((made.faults[verb] ?? driver[verb]) as (...args: never[]) => unknown)(...args),
      })
  return made
}

const storeOn = (driver: Driver, options: StoreOptions = {}): SessionStore =>
  new SessionStore(driver, { pruneInterval: false, operationTimeout: 20, ...options })

const plain = (data: object = {}): SessionData =>
  ({ cookie: { path: '/', httpOnly: true, expires: null, originalMaxAge: null }, ...data }) as SessionData

const hangs = (): Promise<never> => new Promise(() => {})

async function fails(code: SessionStoreErrorCode, call: Promise<unknown>): Promise<SessionStoreError> {
  const failure = await call.then(
    () => assert.fail(`it does not fail with ${code}`),
    (error) => error,
  )
  assert.ok(failure instanceof SessionStoreError)
  assert.equal(failure.code, code)
  assert.ok(!failure.message.includes('geheim'))
  return failure
}

/** Once the driver answers again, calls before may still wait for their end, and hold this one up: tries until it is in time. */
async function eventually<T>(call: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await call()
    } catch (error) {
      if ((error as SessionStoreError).code !== 'TIMEOUT') throw error
    }
}

/** Each method of the store, with the verb of the driver that it needs. */
const calls: Record<string, [verb: keyof Driver, call: (store: SessionStore) => Promise<unknown>]> = {
  get: ['read', (store) => store.get(ID)],
  set: ['write', (store) => store.set(ID, plain())],
  touch: ['touch', (store) => store.touch(ID, plain())],
  destroy: ['write', (store) => store.destroy(ID)],
  all: ['list', (store) => store.all()],
  ids: ['list', (store) => store.ids()],
  length: ['count', (store) => store.length()],
  clear: ['clear', (store) => store.clear()],
  list: ['list', (store) => store.list()],
  revoke: ['read', (store) => store.revoke(store.handle(ID))],
  revokeUser: ['list', (store) => store.revokeUser('ann')],
  prune: ['prune', (store) => store.prune()],
  ping: ['ping', (store) => store.ping()],
  close: ['close', (store) => store.close()],
}

describe.each(Object.entries(calls))('%s', (_name, [verb, call]) => {
  it('tells what the driver rejected with', async () => {
    const cause = new Error('geheim')
    const error = await fails('BACKEND', call(storeOn(faulty({ [verb]: async () => Promise.reject(cause) }))))
    assert.equal(error.cause, cause)
    assert.match(error.message, /memory/)
  })

  it('tells what the driver threw', async () => {
    const cause = new Error('geheim')
    const fault = () => {
      throw cause
    }
    assert.equal((await fails('BACKEND', call(storeOn(faulty({ [verb]: fault }))))).cause, cause)
  })

  it('passes on what the driver knows better', async () => {
    const known = new SessionStoreError('READ_ONLY', 'the database takes no writes')
    assert.equal(
      await fails('READ_ONLY', call(storeOn(faulty({ [verb]: () => Promise.reject(known) })))),
      known,
    )
  })

  it('ends when the driver hangs', async () => {
    await fails('TIMEOUT', call(storeOn(faulty({ [verb]: hangs }), { operationTimeout: 5 })))
  })

  it('works again when the driver does', async () => {
    const driver = faulty({ [verb]: hangs })
    const store = storeOn(driver, { operationTimeout: 5 })
    await fails('TIMEOUT', call(store))
    driver.faults = { [verb]: async () => Promise.reject(new Error('geheim')) }
    if (verb === 'close') return
    await fails('BACKEND', call(store))
    driver.faults = {}
    await call(store)
  })
})

describe('an answer that comes late', () => {
  it('is ignored', async () => {
    const driver = faulty()
    const late: ((rows: Row[]) => void)[] = []
    driver.faults = { read: () => new Promise((resolve) => late.push(resolve)) }
    const store = storeOn(driver)
    await store.set(ID, plain({ name: 'old' }))
    const rows = (await memoryRows(driver)) as Row[]
    let answers = 0
    const failure = await new Promise((resolve) => {
      store.get(ID, (error) => {
        answers++
        resolve(error)
      })
    })
    assert.equal((failure as SessionStoreError).code, 'TIMEOUT')
    await store.set(ID, plain({ name: 'new' }))
    driver.faults = {}
    const next = store.get(ID)
    late[0]!(rows)
    assert.equal(((await next) as unknown as { name: string }).name, 'new')
    assert.equal(answers, 1)
  })

  it('ends nothing twice when it is an error', async () => {
    const driver = faulty()
    let reject: (error: Error) => void = () => {}
    driver.faults = {
      write: () =>
        new Promise((_resolve, fail) => {
          reject = fail
        }),
    }
    const store = storeOn(driver)
    await fails('TIMEOUT', store.set(ID, plain()))
    driver.faults = {}
    reject(new Error('geheim'))
    await store.set(ID, plain())
    assert.ok(await store.get(ID))
  })
})

/** What the driver under the faults holds. */
async function memoryRows(driver: ReturnType<typeof faulty>): Promise<Row[]> {
  const { faults } = driver
  driver.faults = {}
  const { keys } = await driver.list({ limit: 1000 })
  const rows = await driver.read(keys)
  driver.faults = faults
  return rows
}

describe('set-up', () => {
  it('is made once, for all calls that wait for it', async () => {
    let setups = 0
    const driver = faulty({ setup: async () => void setups++ })
    const store = storeOn(driver)
    await Promise.all([store.get('a'), store.set('b', plain()), store.length(), store.ping()])
    await store.get('c')
    assert.equal(setups, 1)
  })

  it.each(['rejects', 'throws', 'hangs'])('is tried again when it %s', async (fault) => {
    const driver = faulty()
    const failing = {
      rejects: () => Promise.reject(new Error('geheim')),
      hangs,
      throws() {
        throw new Error('geheim')
      },
    }[fault]!
    driver.faults = { setup: failing }
    const store = storeOn(driver)
    const code = fault === 'hangs' ? 'TIMEOUT' : 'BACKEND'
    await Promise.all([
      fails(code, store.get(ID)),
      fails(code, store.set(ID, plain())),
      fails(code, store.ping()),
    ])
    driver.faults = {}
    await store.set(ID, plain())
    assert.ok(await store.get(ID))
  })

  it('is waited for by close', async () => {
    const order: string[] = []
    const started = Promise.withResolvers<void>()
    const store = storeOn(
      faulty({
        setup: () => started.promise.then(() => void order.push('set up')),
        close: async () => void order.push('closed'),
      }),
    )
    const got = store.get(ID)
    const closed = store.close()
    started.resolve()
    await Promise.all([got, closed])
    assert.deepEqual(order, ['set up', 'closed'])
  })
})

describe('a driver that hangs', () => {
  it('lets at most maxQueue calls wait', async () => {
    const store = storeOn(faulty({ read: hangs, write: hangs }), { maxQueue: 10 })
    const waiting = Array.from({ length: 10 }, (_, i) =>
      i % 2 ? store.get(`${i}`) : store.set(`${i}`, plain()),
    )
    for (let i = 0; i < 100; i++) await fails('OVERLOADED', store.get(`more-${i}`))
    for (const call of waiting) await fails('TIMEOUT', call)
    const next = store.get(ID)
    await fails('TIMEOUT', next)
  })

  it.each(['read', 'write', 'touch'] as const)(
    'is not sent a %s of which the caller was told that it failed',
    async (verb) => {
      const call = (store: SessionStore, id: string): Promise<unknown> =>
        ({
          read: () => store.get(id),
          write: () => store.set(id, plain()),
          touch: () => store.touch(id, plain()),
        })[verb]()
      const driver = faulty({ [verb]: hangs })
      const store = storeOn(driver, { maxQueue: 1000 })
      const ids = new Map<string, string>()
      for (let round = 0; round < 10; round++) {
        const failing = Array.from({ length: 1000 }, (_, i) => {
          const id = `${round}-${i}`
          ids.set(store.handle(id), id)
          return fails('TIMEOUT', call(store, id))
        })
        await Promise.all(failing)
      }
      const sent: unknown[] = []
      driver.faults = {
        [verb]: (arrived: (string | Write)[]) => {
          sent.push(...arrived.map((one) => ids.get(typeof one === 'string' ? one : one.key) ?? 'a new one'))
          return verb === 'write' ? arrived.map((one) => (one as Write).key) : []
        },
      }
      await eventually(() => call(store, 'another'))
      assert.deepEqual(new Set(sent), new Set(['a new one']))
    },
  )

  it('fails thousands of calls of one session without harm', async () => {
    const driver = faulty({ write: hangs })
    const store = storeOn(driver)
    const waiting = Array.from({ length: 9999 }, (_, i) =>
      i % 3 === 1 ? store.get(ID) : store.set(ID, plain()),
    )
    for (const { status } of await Promise.allSettled(waiting)) assert.equal(status, 'rejected')
    driver.faults = {}
    await eventually(() => store.set(ID, plain({ name: 'Ada' })))
    assert.deepEqual(await store.get(ID), plain({ name: 'Ada' }))
  })

  it('holds up close no longer than the calls that wait', async () => {
    const store = storeOn(faulty({ read: hangs }))
    const call = store.get(ID)
    await store.close()
    await fails('TIMEOUT', call)
    await fails('CLOSED', store.get(ID))
  })

  it('holds up no other verb', async () => {
    const driver = faulty({ write: hangs })
    const store = storeOn(driver, { operationTimeout: 60_000 })
    for (let i = 0; i < 5; i++) void store.set(`${i}`, plain()).catch(() => {})
    assert.equal(await store.get(ID), null)
    await store.touch(ID, plain())
    assert.equal(await store.length(), 0)
  })
})

describe('one batch that fails', () => {
  it('fails its own calls alone', async () => {
    const driver = faulty()
    const store = storeOn(driver, { operationTimeout: 5000 })
    driver.faults = {
      read(keys) {
        driver.faults = {}
        assert.equal(keys.length, 2)
        return Promise.reject(new Error('geheim'))
      },
    }
    await store.ping()
    await Promise.all([fails('BACKEND', store.get('a')), fails('BACKEND', store.get('b'))])
    assert.deepEqual(await Promise.all([store.get('a'), store.get('b')]), [null, null])
  })

  it('fails a save whose conflict cannot be settled', async () => {
    const driver = faulty()
    const store = storeOn(driver)
    await store.set(ID, plain())
    const found = (await store.get(ID))!
    await storeOn(driver).set(ID, plain({ theirs: true }))
    driver.faults = { read: () => Promise.reject(new Error('geheim')) }
    await fails('BACKEND', store.set(ID, Object.assign(found, { mine: true })))
    driver.faults = {}
    await store.set(ID, found)
    assert.deepEqual(await store.get(ID), plain({ theirs: true, mine: true }))
  })
})

it('a save that others always get ahead of ends in time, and tries no more', async () => {
  const driver = faulty()
  const store = storeOn(driver)
  await store.set(ID, plain())
  const found = (await store.get(ID))!
  let tries = 0
  const refused = () => {
    tries++
    return []
  }
  driver.faults = { write: refused }
  await fails('TIMEOUT', store.set(ID, Object.assign(found, { mine: true })))
  assert.ok(tries > 1)
  driver.faults = {}
  // It waits for the one before, which has to give up.
  await eventually(() => store.set(ID, plain({ name: 'Ada' })))
  assert.deepEqual(await store.get(ID), plain({ name: 'Ada' }))
})

it('pruning in the background goes on after an error', async () => {
  const driver = faulty({ prune: () => Promise.reject(new Error('geheim')) })
  const rounds: PruneEvent[] = []
  const three = Promise.withResolvers<void>()
  const heard = (event: unknown) => {
    rounds.push(event as PruneEvent)
    if (rounds.length === 2) driver.faults = { prune: () => 3 }
    if (rounds.length === 3) three.resolve()
  }
  events.prune.subscribe(heard)
  const store = storeOn(driver, { pruneInterval: 1 })
  await three.promise
  events.prune.unsubscribe(heard)
  await store.close()
  assert.deepEqual(
    rounds.slice(0, 3).map(({ removed, error }) => [removed, (error as SessionStoreError | null)?.code]),
    [
      [0, 'BACKEND'],
      [0, 'BACKEND'],
      [3, undefined],
    ],
  )
})

it('a store keeps no process alive', async () => {
  const index = join(import.meta.dirname, '../src/index.ts')
  const program = `
    import { memoryDriver, SessionStore } from ${JSON.stringify(index)}
    const store = new SessionStore({ ...memoryDriver(), touch: () => new Promise(() => {}) }, { operationTimeout: 1_000_000 })
    const session = { cookie: { originalMaxAge: null } }
    await store.set('a', session)
    await store.get('a')
    void store.touch('a', session)
    console.log('done')`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  assert.equal(stdout, 'done\n')
})
