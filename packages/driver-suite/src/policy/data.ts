import assert from 'node:assert/strict'
import {
  dataOf,
  fails,
  HOUR,
  plain,
  type RequestSession,
  read,
  ruleOf,
  type StoreRule,
  save,
} from './fixture.ts'

const rule = ruleOf('policy/data')

/** That a session comes back as it was saved. */

const ID = 'the-session-id'
const CHANGED = 'A session is read with other values than were saved, or not at all.'

/** What is saved comes back as JSON has it, also in another process, and with its keys in their order. */
const comesBack = (name: string, data: object): StoreRule =>
  rule(`${name}-come-back`, CHANGED, async ({ one, other }) => {
    await one().set(ID, plain(data))
    const found = dataOf(await other().get(ID))
    assert.deepEqual(found, JSON.parse(JSON.stringify(data)))
    assert.equal(JSON.stringify(found), JSON.stringify(data))
  })

const deep = (levels: number): object => (levels === 0 ? { end: true } : { more: deep(levels - 1) })

export const data: StoreRule[] = [
  comesBack('values-of-each-type', {
    text: 'x',
    number: 1.5,
    yes: true,
    no: false,
    none: null,
    list: [1, [2]],
  }),
  comesBack('empty-values', { text: '', list: [], object: {}, zero: 0 }),
  comesBack('values-that-JSON-changes', {
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
  comesBack('characters-of-every-plane', {
    text: '𝒳 😀 👩‍👩‍👧 \u{10ffff} é e\u0301 \ufeff\u2028\u2029\r\n\t\u007f',
  }),
  comesBack('lone-surrogates', { high: '\ud800', low: 'x\udc00', '\ud834': 'key' }),
  comesBack('NULs', { text: 'a\u0000b', 'a\u0000b': 'key' }),
  comesBack('keys-that-databases-read', {
    $set: 1,
    'a.b': 2,
    '': 3,
    '*': 4,
    "'": 5,
    '"': 6,
    '%s': 7,
    '?': 8,
  }),
  comesBack('keys-of-stores', {
    id: 1,
    key: 2,
    expires: 3,
    lastModified: 4,
    data: 5,
    user: 6,
    tag: 7,
    createdAt: 8,
  }),
  comesBack('keys-of-objects', { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: 4 }),
  comesBack('keys-in-their-order', { z: 1, a: 2, m: { z: 1, a: 2 }, A: 3 }),
  comesBack('large-numbers', {
    safe: Number.MAX_SAFE_INTEGER,
    large: 1e21,
    largest: Number.MAX_VALUE,
    smallest: 5e-324,
    digits: '12345678901234567890',
  }),
  comesBack('deep-values', deep(500)),
  comesBack('1-MiB', { text: 'x'.repeat(1_048_576) }),
  comesBack('15-MiB', { text: 'x'.repeat(15 * 1_048_576) }),
  comesBack('1-MiB-of-astral-characters', { text: '😀'.repeat(262_144) }),
  rule(
    'the-key-__proto__-comes-back',
    'A key of a session changes what every object is.',
    async ({ one, other }) => {
      const session = plain(JSON.parse('{"__proto__":{"isAdmin":true},"name":"Ada"}'))
      Object.defineProperty(session, '__proto__', { value: { isAdmin: true }, enumerable: true })
      await one().set(ID, session)
      const found = await other().get(ID)
      assert.equal((found as unknown as { isAdmin?: boolean }).isAdmin, undefined)
      assert.equal(JSON.stringify(dataOf(found)), '{"__proto__":{"isAdmin":true},"name":"Ada"}')
    },
  ),
  rule(
    'set-and-touch-leave-the-session-alone',
    'A save changes the session, so that express-session saves it again.',
    async ({ one }) => {
      const store = one()
      const session = plain({ name: 'Ada', list: Object.freeze([1]) })
      Object.freeze(session.cookie)
      Object.freeze(session)
      await store.set(ID, session)
      await store.touch(ID, session)
      assert.deepEqual(session, plain({ name: 'Ada', list: [1] }))
      assert.deepEqual(Reflect.ownKeys(session), ['cookie', 'name', 'list'])
    },
  ),
  rule(
    'many-sessions-of-one-turn-are-kept-apart',
    'A user gets the session of another one.',
    async ({ one, other }) => {
      const [store, reader] = [one(), other()]
      const ids = Array.from({ length: 700 }, (_, i) => `id-${i}`)
      await Promise.all(ids.map((id) => store.set(id, plain({ id }))))
      const found = await Promise.all([...ids, 'nobody'].map((id) => read(reader, id)))
      assert.deepEqual(found, [...ids.map((id) => ({ id })), null])
    },
  ),
  rule(
    'one-bad-session-fails-alone',
    'One broken session fails the requests of others in the same batch.',
    async ({ one }) => {
      const store = one({ maxPayload: 1000 })
      const calls = Array.from({ length: 20 }, (_, i) =>
        store.set(`id-${i}`, plain(i % 5 ? { i } : i % 2 ? { i, count: 1n } : { i, text: 'x'.repeat(1000) })),
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
    async ({ one, other }) => {
      const store = one({ maxPayload: 2000 })
      await store.set(ID, plain({ name: 'Ada' }))
      const error = await fails(
        'PAYLOAD_TOO_LARGE',
        store.set(ID, plain({ text: 'geheim'.repeat(400) })),
        ID,
        'geheim',
      )
      assert.match(error.message, /2000/)
      // Bytes count, not characters.
      await fails('PAYLOAD_TOO_LARGE', store.set(ID, plain({ text: '😀'.repeat(500) })))
      assert.deepEqual(await read(other(), ID), { name: 'Ada' })
      await store.set(ID, plain({ text: 'x'.repeat(1500) }))
      assert.equal(((await read(other(), ID)) as { text: string }).text.length, 1500)
    },
  ),
  rule(
    'a-session-of-a-class-comes-back-as-its-JSON',
    "Sessions of other frameworks lose their cookie, or bring the framework's own fields along.",
    async ({ one, other, clock }) => {
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
      await one().set(ID, new Framework() as never)
      assert.deepEqual(await other().get(ID), {
        cookie: { expires, originalMaxAge: HOUR, path: '/' },
        name: 'Ada',
      })
    },
  ),
  rule(
    "express-session's-load-finds-what-get-finds",
    'A socket or a script that loads a session gets none, or saves over what others saved.',
    async ({ one, other }) => {
      const store = one()
      const loaded = (id: string) =>
        new Promise<RequestSession | undefined>((resolve, reject) => {
          store.load(id, (error, session) => (error ? reject(error) : resolve(session as RequestSession)))
        })
      assert.equal(await loaded(ID), undefined)
      await store.set(ID, plain({ name: 'Ada' }))
      const mine = await loaded(ID)
      assert.equal(mine?.name, 'Ada')
      await other().set(ID, plain({ name: 'Ada', theirs: true }))
      mine.mine = true
      await save(mine)
      assert.deepEqual(await read(store, ID), { name: 'Ada', theirs: true, mine: true })
      assert.equal(await loaded(''), undefined)
    },
  ),
]
