import assert from 'node:assert/strict'
import { CHANGED, HOUR } from '../common.ts'
import { assertFails, prefixRules, type StoreRule } from './fixture.ts'
import { ID, makePlain, omitCookie, type RequestSession, read, save } from './sessions.ts'

/** Rules that a session comes back as it was saved. */

const rule = prefixRules('policy/data')

/**
 * Makes a rule that another process reads the data as JSON represents them, with the keys in the
 * same order.
 */
const makeReadBackRule = (name: string, data: object): StoreRule =>
  rule(`${name}-come-back`, CHANGED, async ({ open, openOther }) => {
    await open().set(ID, makePlain(data))
    const found = omitCookie(await openOther().get(ID))
    assert.deepEqual(found, JSON.parse(JSON.stringify(data)))
    assert.equal(JSON.stringify(found), JSON.stringify(data))
  })

const nest = (levels: number): object => (levels === 0 ? { end: true } : { more: nest(levels - 1) })

export const data: StoreRule[] = [
  makeReadBackRule('values-of-each-type', {
    text: 'x',
    number: 1.5,
    yes: true,
    no: false,
    none: null,
    list: [1, [2]],
  }),
  makeReadBackRule('empty-values', { text: '', list: [], object: {}, zero: 0 }),
  makeReadBackRule('values-that-JSON-changes', {
    undefined: undefined,
    function: () => {},
    NaN: Number.NaN,
    infinity: Number.POSITIVE_INFINITY,
    date: new Date(1_700_000_000_000),
    map: new Map([[1, 2]]),
    regexp: /x/,
    minusZero: -0,
    bytes: Buffer.from('x'),
    list: [undefined, Number.NaN],
  }),
  makeReadBackRule('characters-of-every-plane', {
    text: '𝒳 😀 👩‍👩‍👧 \u{10ffff} é e\u0301 \ufeff\u2028\u2029\r\n\t\u007f',
  }),
  makeReadBackRule('lone-surrogates', { high: '\ud800', low: 'x\udc00', '\ud834': 'key' }),
  makeReadBackRule('NULs', { text: 'a\u0000b', 'a\u0000b': 'key' }),
  makeReadBackRule('keys-that-databases-read', {
    $set: 1,
    'a.b': 2,
    '': 3,
    '*': 4,
    "'": 5,
    '"': 6,
    '%s': 7,
    '?': 8,
  }),
  makeReadBackRule('keys-of-stores', {
    id: 1,
    key: 2,
    expires: 3,
    lastModified: 4,
    data: 5,
    user: 6,
    tag: 7,
    createdAt: 8,
  }),
  makeReadBackRule('keys-of-objects', { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: 4 }),
  makeReadBackRule('keys-in-their-order', { z: 1, a: 2, m: { z: 1, a: 2 }, A: 3 }),
  makeReadBackRule('large-numbers', {
    safe: Number.MAX_SAFE_INTEGER,
    large: 1e21,
    largest: Number.MAX_VALUE,
    smallest: 5e-324,
    digits: '12345678901234567890',
  }),
  makeReadBackRule('deep-values', nest(500)),
  makeReadBackRule('1-MiB', { text: 'x'.repeat(1_048_576) }),
  makeReadBackRule('15-MiB', { text: 'x'.repeat(15 * 1_048_576) }),
  makeReadBackRule('1-MiB-of-astral-characters', { text: '😀'.repeat(262_144) }),
  rule(
    'the-key-__proto__-comes-back',
    'A key of a session changes what every object is.',
    async ({ open, openOther }) => {
      const session = makePlain(JSON.parse('{"__proto__":{"isAdmin":true},"name":"Ada"}'))
      Object.defineProperty(session, '__proto__', { value: { isAdmin: true }, enumerable: true })
      await open().set(ID, session)
      const found = await openOther().get(ID)
      assert.equal((found as unknown as { isAdmin?: boolean }).isAdmin, undefined)
      assert.equal(JSON.stringify(omitCookie(found)), '{"__proto__":{"isAdmin":true},"name":"Ada"}')
    },
  ),
  rule(
    'set-and-touch-leave-the-session-alone',
    'A save changes the session, so that express-session saves it again.',
    async ({ open }) => {
      const store = open()
      const session = makePlain({ name: 'Ada', list: Object.freeze([1]) })
      Object.freeze(session.cookie)
      Object.freeze(session)
      await store.set(ID, session)
      await store.touch(ID, session)
      assert.deepEqual(session, makePlain({ name: 'Ada', list: [1] }))
      assert.deepEqual(Reflect.ownKeys(session), ['cookie', 'name', 'list'])
    },
  ),
  rule(
    'many-sessions-of-one-turn-are-kept-apart',
    'A user gets the session of another one.',
    async ({ open, openOther }) => {
      const [store, reader] = [open(), openOther()]
      const ids = Array.from({ length: 700 }, (_, i) => `id-${i}`)
      await Promise.all(ids.map((id) => store.set(id, makePlain({ id }))))
      const found = await Promise.all([...ids, 'nobody'].map((id) => read(reader, id)))
      assert.deepEqual(found, [...ids.map((id) => ({ id })), null])
    },
  ),
  rule(
    'one-bad-session-fails-alone',
    'One broken session fails the requests of others in the same batch.',
    async ({ open }) => {
      const store = open({ maxPayload: 1000 })
      const calls = Array.from({ length: 20 }, (_, i) =>
        store.set(
          `id-${i}`,
          makePlain(i % 5 ? { i } : i % 2 ? { i, count: 1n } : { i, text: 'x'.repeat(1000) }),
        ),
      )
      const failures = (await Promise.allSettled(calls)).flatMap(({ status }, i) =>
        status === 'fulfilled' ? [] : [i],
      )
      assert.deepEqual(failures, [0, 5, 10, 15])
      for (let i = 0; i < 20; i++) assert.deepEqual(await read(store, `id-${i}`), i % 5 ? { i } : null)
    },
  ),
  rule(
    'a-payload-over-maxPayload-keeps-the-old-one',
    'A session that grew too large is lost.',
    async ({ open, openOther }) => {
      const store = open({ maxPayload: 2000 })
      await store.set(ID, makePlain({ name: 'Ada' }))
      const error = await assertFails(
        'PAYLOAD_TOO_LARGE',
        store.set(ID, makePlain({ text: 'geheim'.repeat(400) })),
        ID,
        'geheim',
      )
      assert.match(error.message, /2000/)
      // The limit is in bytes: these are 500 characters, but 2000 bytes.
      await assertFails('PAYLOAD_TOO_LARGE', store.set(ID, makePlain({ text: '😀'.repeat(500) })))
      assert.deepEqual(await read(openOther(), ID), { name: 'Ada' })
      await store.set(ID, makePlain({ text: 'x'.repeat(1500) }))
      assert.equal(((await read(openOther(), ID)) as { text: string }).text.length, 1500)
    },
  ),
  rule(
    'a-session-of-a-class-comes-back-as-its-JSON',
    "Sessions of other frameworks lose their cookie, or bring the framework's own fields along.",
    async ({ open, openOther, clock }) => {
      const expires = new Date(clock.now + HOUR)
      const request: unique symbol = Symbol('request')
      class Cookie {
        readonly internal = 'geheim'
        readonly expires = expires
        toJSON() {
          return { expires: this.expires, originalMaxAge: HOUR, path: '/' }
        }
      }
      class Framework {
        readonly cookie = new Cookie()
        readonly name = 'Ada'
        readonly #secret = 'geheim'
        readonly [request] = this.#secret
        save() {}
      }
      await open().set(ID, new Framework() as never)
      assert.deepEqual(await openOther().get(ID), {
        cookie: { expires, originalMaxAge: HOUR, path: '/' },
        name: 'Ada',
      })
    },
  ),
  rule(
    "express-session's-load-finds-what-get-finds",
    'A socket or a script that loads a session gets none, or saves over what others saved.',
    async ({ open, openOther }) => {
      const store = open()
      const loadSession = (id: string) =>
        new Promise<RequestSession | undefined>((resolve, reject) => {
          store.load(id, (error, session) => (error ? reject(error) : resolve(session as RequestSession)))
        })
      assert.equal(await loadSession(ID), undefined)
      await store.set(ID, makePlain({ name: 'Ada' }))
      const mine = await loadSession(ID)
      assert.equal(mine?.name, 'Ada')
      await openOther().set(ID, makePlain({ name: 'Ada', theirs: true }))
      mine.mine = true
      await save(mine)
      assert.deepEqual(await read(store, ID), { name: 'Ada', theirs: true, mine: true })
      assert.equal(await loadSession(''), undefined)
    },
  ),
]
