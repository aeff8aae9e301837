import assert from 'node:assert/strict'
import { memoryDriver, type SessionStore, type StoreOptions } from '@session-stores/core'
import { codeOf } from '../outage/user.ts'
import { fails, fresh, load, plain, quiet, read, ruleOf, type StoreRule, save } from './fixture.ts'

const rule = ruleOf('policy/hostile')

/** Objects, clocks and serializers that throw, hang or lie: each fails for its own call alone. */

const ID = 'the-session-id'
const WEDGED = 'One odd object hangs every later request of its user, and those of others with it.'

// biome-ignore lint/suspicious/noExplicitAny: hostile objects keep to no types
type Any = any

function boom(): never {
  throw new Error('geheim')
}

function revoked(): Any {
  const { proxy, revoke } = Proxy.revocable({ ...plain() }, {})
  revoke()
  return proxy
}

const traps: ProxyHandler<object> = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect)
    .filter((name) => typeof Reflect[name as keyof typeof Reflect] === 'function')
    .map((name) => [name, boom]),
)

/** Sessions on which some operation throws. */
const throwing: Record<string, () => Any> = {
  'a-revoked-Proxy': revoked,
  'a-Proxy-that-throws': () => new Proxy(plain(), traps),
  'a-Proxy-whose-prototype-throws': () => new Proxy(plain(), { getPrototypeOf: boom }),
  'an-enumerable-req-getter-that-throws': () =>
    Object.defineProperty(plain(), 'req', { get: boom, enumerable: true }),
  'an-own-req-that-is-a-revoked-Proxy': () =>
    Object.defineProperty(plain(), 'req', { value: revoked(), enumerable: false }),
  'a-cookie-getter-that-throws': () => Object.defineProperty({}, 'cookie', { get: boom, enumerable: true }),
  'a-cookie-that-is-a-revoked-Proxy': () => ({ ...plain(), cookie: revoked() }),
  'a-cookie-setting-that-throws': () => ({
    cookie: Object.defineProperty({}, 'sameSite', { get: boom, enumerable: true }),
  }),
  'a-toJSON-that-throws': () => ({ ...plain(), toJSON: boom }),
  'a-member-that-throws': () => plain({ list: [{ toJSON: boom }] }),
  'a-toJSON-that-throws-a-revoked-Proxy': () => ({
    ...plain(),
    toJSON() {
      throw revoked()
    },
  }),
}

/** Sessions of which nothing that can be read would be stored. */
const unreadable: Record<string, () => Any> = {
  'a-toJSON-without-a-cookie': () => ({ ...plain(), toJSON: () => ({ name: 'geheim' }) }),
  'a-toJSON-that-gives-null': () => ({ ...plain(), toJSON: () => null }),
  'a-toJSON-that-gives-nothing': () => ({ ...plain(), toJSON: () => undefined }),
  'a-toJSON-that-gives-an-array': () => ({ ...plain(), toJSON: () => [{ cookie: {} }] }),
  'a-toJSON-that-gives-a-text': () => ({ ...plain(), toJSON: () => 'geheim' }),
  'a-toJSON-whose-cookie-is-an-array': () => ({ ...plain(), toJSON: () => ({ cookie: [] }) }),
  'a-cookie-that-is-an-array': () => ({ cookie: [] }),
  'a-cookie-whose-toJSON-gives-null': () => plain({}, { toJSON: () => null }),
  'a-cookie-whose-toJSON-gives-nothing': () => plain({}, { toJSON: () => undefined }),
  'a-cookie-whose-toJSON-gives-a-text': () => plain({}, { toJSON: () => 'geheim' }),
}

/** The codes of what an object can do wrong. */
const FAULTS = /^(INVALID_SESSION|NOT_SERIALIZABLE)$/

async function failsFor(call: Promise<unknown>): Promise<void> {
  const error = await call.then(
    () => assert.fail('it does not fail'),
    (failure) => failure,
  )
  assert.match(codeOf(error), FAULTS)
  assert.ok(!(error as Error).message.includes('geheim'))
}

/** Every call of the session is answered again, and revoking its user ends. */
async function works(store: SessionStore): Promise<void> {
  const loaded = await load(store, ID)
  loaded.more = 1
  await save(loaded)
  await store.touch(ID, loaded)
  assert.equal(((await store.get(ID)) as Any).more, 1)
  await store.destroy(ID)
  assert.equal(await store.get(ID), null)
}

type Serializer = NonNullable<StoreOptions['serializer']>

/** Answers that never come, come twice, or are no promises. */
const answers: Record<string, () => Any> = {
  'never-answers': () => new Promise(() => {}),
  'gives-a-thenable-that-never-answers': () => Object.defineProperty({}, 'then', { value() {} }),
  'gives-a-thenable-that-throws': () => Object.defineProperty({}, 'then', { value: boom }),
  'gives-what-throws-when-asked-for-then': () => Object.defineProperty({}, 'then', { get: boom }),
  'rejects-with-a-revoked-Proxy': () => Promise.reject(revoked()),
  'gives-no-text': () => 7,
  'promises-no-text': async () => undefined,
}

export const hostile: StoreRule[] = [
  ...Object.entries({ ...throwing, ...unreadable }).map(([name, make]) =>
    rule(`${name}-fails-alone`, WEDGED, async ({ one }) => {
      const store = one({ operationTimeout: 2000, user: () => 'ann' })
      await store.set(ID, plain({ name: 'Ada' }))
      const others = Array.from({ length: 20 }, (_, i) => `other-${i}`)
      const before = others.map((id) => store.set(id, plain({ id })))
      const failing = failsFor(store.set(ID, make()))
      const after = others.map((id) => store.get(id))
      await Promise.all([...before, failing, ...after])
      // A touch reads less of it, and may do.
      await store.touch(ID, make()).catch((error) => assert.match(codeOf(error), FAULTS))
      assert.deepEqual(await read(store, ID), { name: 'Ada' }, 'what was stored is there')
      for (const id of others) assert.deepEqual(await read(store, id), { id })
      await works(store)
      assert.equal(await store.revokeUser('ann'), others.length)
    }),
  ),
  rule('a-clock-that-throws-once-fails-one-call', WEDGED, async ({ one, clock }) => {
    for (let broken = 1; broken <= 8; broken++) {
      let asked = 0
      const now = (): number => (++asked === broken ? boom() : clock.now)
      const store = one({ now, operationTimeout: 2000 })
      let failures = 0
      const id = `id-${broken}`
      const count = (call: Promise<unknown>): Promise<unknown> => call.catch(() => failures++)
      await count(store.set(id, plain({ name: 'Ada' })))
      const loaded = (await one().get(id)) ?? plain()
      await count(store.touch(id, loaded))
      await count(store.get(id))
      await count(store.set(id, loaded))
      await count(store.destroy(id))
      assert.ok(failures <= 1, `${failures} calls failed`)
      while (asked < broken) now()
      await store.destroy('another')
      await store.set(`new-${broken}`, plain())
      await works(Object.assign(store)).catch(() => {})
      assert.ok(await store.get(`new-${broken}`))
    }
  }),
  rule(
    'a-clock-that-steps-back-ends-nothing',
    'After a correction of the clock users are logged out.',
    async ({ one, clock }) => {
      const store = one()
      await save(fresh(store, ID, { name: 'Ada' }, { maxAge: 3 * 3_600_000 }))
      const loaded = await load(store, ID)
      clock.now -= 3_600_000
      loaded.more = 1
      await save(loaded)
      await store.touch(ID, await load(store, ID))
      assert.deepEqual(await read(store, ID), { name: 'Ada', more: 1 })
      clock.now += 3_600_000
      assert.deepEqual(await read(store, ID), { name: 'Ada', more: 1 })
      await works(store)
    },
  ),
  ...Object.entries(answers).flatMap(([name, answer]) => [
    rule(`a-serializer-that-${name}-fails-alone`, WEDGED, async ({ one }) => {
      let isBroken = true
      const serializer: Serializer = {
        stringify: (session) => ('bad' in session && isBroken ? answer() : JSON.stringify(session)),
        parse: JSON.parse,
      }
      const store = one({ serializer, operationTimeout: 200, user: () => 'ann' })
      await store.set(ID, plain({ name: 'Ada' }))
      const loaded = await load(store, ID)
      loaded.bad = true
      const code = name.includes('never') ? 'TIMEOUT' : 'NOT_SERIALIZABLE'
      await fails(code, store.set(ID, loaded), 'geheim')
      assert.deepEqual(await read(store, ID), { name: 'Ada' })
      isBroken = false
      await store.set(ID, loaded)
      assert.deepEqual(await read(store, ID), { name: 'Ada', bad: true })
      assert.equal(await store.revokeUser('ann'), 1)
      await quiet()
    }),
    rule(`a-serializer-that-${name}-when-it-reads-fails-alone`, WEDGED, async ({ one }) => {
      const serializer: Serializer = {
        stringify: JSON.stringify,
        parse: (text) => (text.includes('bad') ? answer() : JSON.parse(text)),
      }
      const store = one({ serializer, operationTimeout: 200 })
      await one().set(ID, plain({ bad: true }))
      await store.set('good', plain({ name: 'Ada' }))
      const code = name.includes('never') ? 'TIMEOUT' : 'CORRUPT'
      await fails(code, store.get(ID), 'geheim')
      // A list leaves out what cannot be read, and ends.
      assert.equal(Object.keys(await store.all()).length, 1)
      assert.equal((await store.list()).sessions.length, 1)
      assert.equal(await store.revoke(store.handle(ID)), true)
      assert.deepEqual(await read(store, 'good'), { name: 'Ada' })
      await quiet()
    }),
  ]),
  ...['ann\ud800', 'ann\udfff', '\udc00', '\ud83d'].map((name) =>
    rule(
      `the-user-${JSON.stringify(name).slice(1, -1).replaceAll('\\', '')}-is-refused`,
      "One user sees and ends another's sessions, for their names become one in the database (CWE-176).",
      async ({ one }) => {
        const store = one({ user: (session) => (session as Any).user })
        await store.set(ID, plain({ user: 'ann\ufffd' }))
        await fails('INVALID_USER', store.set('other', plain({ user: name })))
        await fails('INVALID_USER', store.list({ user: name }))
        await fails('INVALID_USER', store.revokeUser(name))
        await fails('INVALID_USER', store.revoke(store.handle(ID), { user: name }))
        assert.equal((await store.list({ user: 'ann\ufffd' })).sessions.length, 1)
      },
    ),
  ),
  rule(
    'a-session-that-is-nested-deep-is-merged-as-it-is-stored',
    'A session can be saved, and from then on every request of its user fails.',
    async ({ one, other }) => {
      let deep: unknown = []
      for (let i = 0; i < 2000; i++) deep = [deep]
      const store = one()
      await store.set(ID, plain({ deep }))
      const [mine, theirs] = [await load(store, ID), await load(other(), ID)]
      theirs.theirs = 1
      await save(theirs)
      mine.mine = 1
      await save(mine)
      const found = await read(store, ID)
      assert.deepEqual([found?.mine, found?.theirs], [1, 1])
      assert.equal(JSON.stringify(found?.deep), JSON.stringify(deep))
    },
  ),
  rule(
    'one-busy-session-leaves-room-for-others',
    'One user with many open pages has the requests of everybody else refused.',
    async ({ on }) => {
      const released = Promise.withResolvers<void>()
      const memory = memoryDriver()
      const driver = {
        ...memory,
        async write(...args: Parameters<typeof memory.write>) {
          await released.promise
          return memory.write(...args)
        },
      }
      const store = on(driver, { maxQueue: 20 })
      const busy = Array.from({ length: 40 }, () => store.set(ID, plain()).then(() => 'done', codeOf))
      assert.equal(await store.get('another'), null)
      released.resolve()
      const ended = await Promise.all(busy)
      assert.ok(ended.includes('done') && ended.includes('OVERLOADED'))
    },
  ),
]
