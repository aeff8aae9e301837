import assert from 'node:assert/strict'
import { memoryDriver, type SessionStore, type StoreOptions } from '@session-stores/core'
import { getCode } from '../common.ts'
import { assertFails, prefixRules, type StoreRule, settle } from './fixture.ts'
import { ID, load, makeFresh, makePlain, read, readUser, save } from './sessions.ts'

/**
 * Rules about objects, clocks and serializers that throw, hang or lie: only their own call may
 * fail.
 */

const rule = prefixRules('policy/hostile')

const WEDGED = 'One odd object hangs every later request of its user, and those of others with it.'

// biome-ignore lint/suspicious/noExplicitAny: hostile objects do not keep to the types
type Any = any

function throwSecret(): never {
  throw new Error('geheim')
}

function makeRevokedProxy(): Any {
  const { proxy, revoke } = Proxy.revocable({ ...makePlain() }, {})
  revoke()
  return proxy
}

const traps: ProxyHandler<object> = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect)
    .filter((name) => typeof Reflect[name as keyof typeof Reflect] === 'function')
    .map((name) => [name, throwSecret]),
)

/** Sessions on which at least one operation throws. */
const throwing: Record<string, () => Any> = {
  'a-revoked-Proxy': makeRevokedProxy,
  'a-Proxy-that-throws': () => new Proxy(makePlain(), traps),
  'a-Proxy-whose-prototype-throws': () => new Proxy(makePlain(), { getPrototypeOf: throwSecret }),
  'an-enumerable-req-getter-that-throws': () =>
    Object.defineProperty(makePlain(), 'req', { get: throwSecret, enumerable: true }),
  'an-own-req-that-is-a-revoked-Proxy': () =>
    Object.defineProperty(makePlain(), 'req', { value: makeRevokedProxy(), enumerable: false }),
  'a-cookie-getter-that-throws': () =>
    Object.defineProperty({}, 'cookie', { get: throwSecret, enumerable: true }),
  'a-cookie-that-is-a-revoked-Proxy': () => ({ ...makePlain(), cookie: makeRevokedProxy() }),
  'a-cookie-setting-that-throws': () => ({
    cookie: Object.defineProperty({}, 'sameSite', { get: throwSecret, enumerable: true }),
  }),
  'a-toJSON-that-throws': () => ({ ...makePlain(), toJSON: throwSecret }),
  'a-member-that-throws': () => makePlain({ list: [{ toJSON: throwSecret }] }),
  'a-toJSON-that-throws-a-revoked-Proxy': () => ({
    ...makePlain(),
    toJSON() {
      throw makeRevokedProxy()
    },
  }),
}

/** Sessions whose JSON could not be read back as a session. */
const unreadable: Record<string, () => Any> = {
  'a-toJSON-without-a-cookie': () => ({ ...makePlain(), toJSON: () => ({ name: 'geheim' }) }),
  'a-toJSON-that-gives-null': () => ({ ...makePlain(), toJSON: () => null }),
  'a-toJSON-that-gives-nothing': () => ({ ...makePlain(), toJSON: () => undefined }),
  'a-toJSON-that-gives-an-array': () => ({ ...makePlain(), toJSON: () => [{ cookie: {} }] }),
  'a-toJSON-that-gives-a-text': () => ({ ...makePlain(), toJSON: () => 'geheim' }),
  'a-toJSON-whose-cookie-is-an-array': () => ({ ...makePlain(), toJSON: () => ({ cookie: [] }) }),
  'a-cookie-that-is-an-array': () => ({ cookie: [] }),
  'a-cookie-whose-toJSON-gives-null': () => makePlain({}, { toJSON: () => null }),
  'a-cookie-whose-toJSON-gives-nothing': () => makePlain({}, { toJSON: () => undefined }),
  'a-cookie-whose-toJSON-gives-a-text': () => makePlain({}, { toJSON: () => 'geheim' }),
}

/** The codes of errors that a hostile object may cause. */
const FAULTS = /^(INVALID_SESSION|NOT_SERIALIZABLE)$/

async function assertInvalid(call: Promise<unknown>): Promise<void> {
  const error = await call.then(
    () => assert.fail('the call does not fail'),
    (failure) => failure,
  )
  assert.match(getCode(error), FAULTS)
  assert.ok(!(error as Error).message.includes('geheim'))
}

/** Checks that every call for the session is answered again. */
async function assertWorks(store: SessionStore): Promise<void> {
  const loaded = await load(store, ID)
  loaded.more = 1
  await save(loaded)
  await store.touch(ID, loaded)
  assert.equal(((await store.get(ID)) as Any).more, 1)
  await store.destroy(ID)
  assert.equal(await store.get(ID), null)
}

type Serializer = NonNullable<StoreOptions['serializer']>

/** Results of a serializer that never come, throw, or are no text. */
const answers: Record<string, () => Any> = {
  'never-answers': () => new Promise(() => {}),
  'gives-a-thenable-that-never-answers': () => Object.defineProperty({}, 'then', { value() {} }),
  'gives-a-thenable-that-throws': () => Object.defineProperty({}, 'then', { value: throwSecret }),
  'gives-what-throws-when-asked-for-then': () => Object.defineProperty({}, 'then', { get: throwSecret }),
  'rejects-with-a-revoked-Proxy': () => Promise.reject(makeRevokedProxy()),
  'gives-no-text': () => 7,
  'promises-no-text': async () => undefined,
}

/** Only a call that waits for an answer in vain needs a short time limit, in milliseconds. */
const timeoutOf = (name: string): number => (name.includes('never') ? 500 : 5000)

export const hostile: StoreRule[] = [
  ...Object.entries({ ...throwing, ...unreadable }).map(([name, make]) =>
    rule(`${name}-fails-alone`, WEDGED, async ({ open }) => {
      const store = open({ operationTimeout: 2000, user: () => 'ann' })
      await store.set(ID, makePlain({ name: 'Ada' }))
      const others = Array.from({ length: 20 }, (_, i) => `other-${i}`)
      const before = others.map((id) => store.set(id, makePlain({ id })))
      const failing = assertInvalid(store.set(ID, make()))
      const after = others.map((id) => store.get(id))
      await Promise.all([...before, failing, ...after])
      // A touch may succeed, because it reads less of the object.
      await store.touch(ID, make()).catch((error) => assert.match(getCode(error), FAULTS))
      assert.deepEqual(await read(store, ID), { name: 'Ada' }, 'the stored session is unchanged')
      for (const id of others) assert.deepEqual(await read(store, id), { id })
      await assertWorks(store)
      assert.equal(await store.revokeUser('ann'), others.length)
    }),
  ),
  rule('a-clock-that-throws-once-fails-one-call', WEDGED, async ({ open, clock }) => {
    for (let broken = 1; broken <= 8; broken++) {
      let asked = 0
      const now = (): number => (++asked === broken ? throwSecret() : clock.now)
      const store = open({ now, operationTimeout: 2000 })
      let failures = 0
      const id = `id-${broken}`
      const count = (call: Promise<unknown>): Promise<unknown> => call.catch(() => failures++)
      await count(store.set(id, makePlain({ name: 'Ada' })))
      const loaded = (await open().get(id)) ?? makePlain()
      await count(store.touch(id, loaded))
      await count(store.get(id))
      await count(store.set(id, loaded))
      await count(store.destroy(id))
      assert.ok(failures <= 1, `${failures} calls failed`)
      while (asked < broken) now()
      await store.destroy('another')
      await store.set(`new-${broken}`, makePlain())
      assert.ok(await store.get(`new-${broken}`), 'the store works on')
    }
  }),
  rule(
    'a-clock-that-steps-back-ends-nothing',
    'After a correction of the clock users are logged out.',
    async ({ open, clock }) => {
      const store = open()
      await save(makeFresh(store, ID, { name: 'Ada' }, { maxAge: 3 * 3_600_000 }))
      const loaded = await load(store, ID)
      clock.now -= 3_600_000
      loaded.more = 1
      await save(loaded)
      await store.touch(ID, await load(store, ID))
      assert.deepEqual(await read(store, ID), { name: 'Ada', more: 1 })
      clock.now += 3_600_000
      assert.deepEqual(await read(store, ID), { name: 'Ada', more: 1 })
      await assertWorks(store)
    },
  ),
  ...Object.entries(answers).flatMap(([name, answer]) => [
    rule(`a-serializer-that-${name}-fails-alone`, WEDGED, async ({ open }) => {
      let isBroken = true
      const serializer: Serializer = {
        stringify: (session) => ('bad' in session && isBroken ? answer() : JSON.stringify(session)),
        parse: JSON.parse,
      }
      const store = open({ serializer, operationTimeout: timeoutOf(name), user: () => 'ann' })
      await store.set(ID, makePlain({ name: 'Ada' }))
      const loaded = await load(store, ID)
      loaded.bad = true
      const code = name.includes('never') ? 'TIMEOUT' : 'NOT_SERIALIZABLE'
      await assertFails(code, store.set(ID, loaded), 'geheim')
      assert.deepEqual(await read(store, ID), { name: 'Ada' })
      isBroken = false
      await store.set(ID, loaded)
      assert.deepEqual(await read(store, ID), { name: 'Ada', bad: true })
      assert.equal(await store.revokeUser('ann'), 1)
      await settle()
    }),
    rule(`a-serializer-that-${name}-when-it-reads-fails-alone`, WEDGED, async ({ open }) => {
      const serializer: Serializer = {
        stringify: JSON.stringify,
        parse: (text) => (text.includes('bad') ? answer() : JSON.parse(text)),
      }
      const store = open({ serializer, operationTimeout: timeoutOf(name) })
      await open().set(ID, makePlain({ bad: true }))
      await store.set('good', makePlain({ name: 'Ada' }))
      const code = name.includes('never') ? 'TIMEOUT' : 'CORRUPT'
      await assertFails(code, store.get(ID), 'geheim')
      // The lists leave out the unreadable session, and do not hang.
      assert.equal(Object.keys(await store.all()).length, 1)
      assert.equal((await store.list()).sessions.length, 1)
      assert.equal(await store.revoke(store.handle(ID)), true)
      assert.deepEqual(await read(store, 'good'), { name: 'Ada' })
      await settle()
    }),
  ]),
  ...['ann\ud800', 'ann\udfff', '\udc00', '\ud83d'].map((name) =>
    rule(
      `the-user-${JSON.stringify(name).slice(1, -1).replaceAll('\\', '')}-is-refused`,
      "One user sees and ends another's sessions, for their names become one in the database (CWE-176).",
      async ({ open }) => {
        const store = open({ user: readUser })
        await store.set(ID, makePlain({ user: 'ann\ufffd' }))
        await assertFails('INVALID_USER', store.set('other', makePlain({ user: name })))
        await assertFails('INVALID_USER', store.list({ user: name }))
        await assertFails('INVALID_USER', store.revokeUser(name))
        await assertFails('INVALID_USER', store.revoke(store.handle(ID), { user: name }))
        assert.equal((await store.list({ user: 'ann\ufffd' })).sessions.length, 1)
      },
    ),
  ),
  rule(
    'a-session-that-is-nested-deep-is-merged-as-it-is-stored',
    'A session can be saved, and from then on every request of its user fails.',
    async ({ open, openOther }) => {
      let deep: unknown = []
      for (let i = 0; i < 2000; i++) deep = [deep]
      const store = open()
      await store.set(ID, makePlain({ deep }))
      const [mine, theirs] = [await load(store, ID), await load(openOther(), ID)]
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
    async ({ openOn }) => {
      const released = Promise.withResolvers<void>()
      const memory = memoryDriver()
      const driver = {
        ...memory,
        async write(...args: Parameters<typeof memory.write>) {
          await released.promise
          return memory.write(...args)
        },
      }
      const store = openOn(driver, { maxQueue: 20 })
      const busy = Array.from({ length: 40 }, () => store.set(ID, makePlain()).then(() => 'done', getCode))
      assert.equal(await store.get('another'), null)
      released.resolve()
      const ended = await Promise.all(busy)
      assert.ok(ended.includes('done') && ended.includes('OVERLOADED'))
    },
  ),
]
