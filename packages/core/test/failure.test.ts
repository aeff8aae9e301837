import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, it } from 'vitest'
import {
  type Driver,
  events,
  type PruneEvent,
  type Row,
  type SessionStore,
  SessionStoreError,
} from '../src/index.ts'
import { eventually, fails, faulty, hangs, hastyOn, ID, plain, storeOn } from './support/faulty.ts'

/** What the store does when its driver misbehaves. */

/** Each method of the store, with the verb of the driver that it calls. */
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
  assignUsers: ['list', (store) => store.assignUsers()],
  prune: ['prune', (store) => store.prune()],
  ping: ['ping', (store) => store.ping()],
  close: ['close', (store) => store.close()],
}

describe.each(Object.entries(calls))('%s', (_name, [verb, call]) => {
  it('fails with what the driver rejected with', async () => {
    const cause = new Error('geheim')
    const error = await fails('BACKEND', call(storeOn(faulty({ [verb]: async () => Promise.reject(cause) }))))
    assert.equal(error.cause, cause)
    assert.match(error.message, /memory/)
  })

  it('fails with what the driver threw', async () => {
    const cause = new Error('geheim')
    const fault = () => {
      throw cause
    }
    assert.equal((await fails('BACKEND', call(storeOn(faulty({ [verb]: fault }))))).cause, cause)
  })

  it('passes on an error of the driver that has a code', async () => {
    const known = new SessionStoreError('READ_ONLY', 'the database takes no writes')
    assert.equal(
      await fails('READ_ONLY', call(storeOn(faulty({ [verb]: () => Promise.reject(known) })))),
      known,
    )
  })

  it('times out when the driver hangs', async () => {
    await fails('TIMEOUT', call(hastyOn(faulty({ [verb]: hangs }), { operationTimeout: 5 })))
  })

  it('works again when the driver works again', async () => {
    const driver = faulty({ [verb]: hangs })
    const store = hastyOn(driver, { operationTimeout: 5 })
    await fails('TIMEOUT', call(store))
    driver.faults = { [verb]: async () => Promise.reject(new Error('geheim')) }
    if (verb === 'close') return
    const again = () => call(store)
    await fails('BACKEND', eventually(again))
    driver.faults = {}
    await eventually(again)
  })
})

describe('an answer that comes late', () => {
  it('is ignored', async () => {
    const driver = faulty()
    const late: ((rows: Row[]) => void)[] = []
    const store = hastyOn(driver)
    await storeOn(driver).set(ID, plain({ name: 'old' }))
    const rows = (await memoryRows(driver)) as Row[]
    driver.faults = { read: () => new Promise((resolve) => late.push(resolve)) }
    let answers = 0
    const failure = await new Promise((resolve) => {
      store.get(ID, (error) => {
        answers++
        resolve(error)
      })
    })
    assert.equal((failure as SessionStoreError).code, 'TIMEOUT')
    driver.faults = {}
    await storeOn(driver).set(ID, plain({ name: 'new' }))
    const next = eventually(() => store.get(ID))
    late[0]!(rows)
    assert.equal(((await next) as unknown as { name: string }).name, 'new')
    assert.equal(answers, 1)
  })

  it('does not end the call a second time when it is an error', async () => {
    const driver = faulty()
    let reject: (error: Error) => void = () => {}
    driver.faults = {
      write: () =>
        new Promise((_resolve, fail) => {
          reject = fail
        }),
    }
    const store = hastyOn(driver)
    await fails('TIMEOUT', store.set(ID, plain()))
    driver.faults = {}
    reject(new Error('geheim'))
    await eventually(() => store.set(ID, plain()))
    assert.ok(await eventually(() => store.get(ID)))
  })
})

/** Returns what the driver under the faults holds. */
async function memoryRows(driver: ReturnType<typeof faulty>): Promise<Row[]> {
  const { faults } = driver
  driver.faults = {}
  const { keys } = await driver.list({ limit: 1000 })
  const rows = await driver.read(keys)
  driver.faults = faults
  return rows
}

describe('set-up', () => {
  it('runs once for all calls that wait for it', async () => {
    let setups = 0
    const driver = faulty({ setup: async () => void setups++ })
    const store = storeOn(driver)
    await Promise.all([store.get('a'), store.set('b', plain()), store.length(), store.ping()])
    await store.get('c')
    assert.equal(setups, 1)
  })

  it.each(['rejects', 'throws', 'hangs'])('is repeated when it %s', async (fault) => {
    const driver = faulty()
    const failing = {
      rejects: () => Promise.reject(new Error('geheim')),
      hangs,
      throws() {
        throw new Error('geheim')
      },
    }[fault]!
    driver.faults = { setup: failing }
    const store = fault === 'hangs' ? hastyOn(driver) : storeOn(driver)
    const code = fault === 'hangs' ? 'TIMEOUT' : 'BACKEND'
    await Promise.all([
      fails(code, store.get(ID)),
      fails(code, store.set(ID, plain())),
      fails(code, store.ping()),
    ])
    driver.faults = {}
    await eventually(() => store.set(ID, plain()))
    assert.ok(await eventually(() => store.get(ID)))
  })

  it('ends before close does', async () => {
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

describe('one batch that fails', () => {
  it('fails its own calls and no others', async () => {
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

  it('fails a save whose conflict cannot be resolved', async () => {
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
