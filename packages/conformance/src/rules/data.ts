import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import type { StoredSession } from '../engine/subject.ts'
import { expectData, ID, isRefused, isRefusedWithError, README } from './shared.ts'

/** Makes a rule that a read returns these data as they were saved. */
const makeDataRule = (
  name: string,
  title: string,
  level: Rule['level'],
  why: string,
  data: object,
): Rule => ({
  id: `data/${name}`,
  title,
  level,
  why,
  source: README,
  async check({ store, session }) {
    await store.set(ID, session(data))
    expectData(await store.data(ID), JSON.parse(JSON.stringify(data)))
  },
})

const MIB = 1024 * 1024

/** Changes after which the JSON of a session is nothing that express-session can open. */
const malformed: Readonly<Record<string, (session: StoredSession) => StoredSession>> = {
  'without-a-cookie': (session) => Object.assign(session, { toJSON: () => ({ name: 'Bob' }) }),
  nothing: (session) => Object.assign(session, { toJSON: () => null }),
  undefined: (session) => Object.assign(session, { toJSON: () => undefined }),
  list: (session) => Object.assign(session, { toJSON: () => [session.cookie] }),
  text: (session) => Object.assign(session, { toJSON: () => 'Bob' }),
  'cookie-that-is-nothing': (session) => {
    Object.assign(session.cookie, { toJSON: () => null })
    return session
  },
  'cookie-that-is-a-text': (session) => {
    Object.assign(session.cookie, { toJSON: () => 'session' })
    return session
  },
}

/** Rules about what a session holds, from the save to the next read. */
export const data: readonly Rule[] = [
  makeDataRule(
    'is-kept',
    'a session is read as it was saved, whatever JSON it holds',
    'must',
    'Users lose what they did.',
    {
      name: 'Ada',
      empty: '',
      yes: true,
      no: false,
      nothing: null,
      zero: 0,
      list: [1, 'two', [3, { four: 4 }], []],
      deep: { a: { b: { c: { d: { e: 'f' } } } }, none: {} },
    },
  ),
  makeDataRule(
    'text-of-every-script',
    'text of every script and emoji, and with line separators, is kept',
    'must',
    'Names of people come back broken.',
    { names: ['Ωμέγα', '日本語', 'مرحبا', '😀👩‍👩‍👧‍👦', 'e\u0301', '\u2028\u2029', '"\\/\b\f\n\r\t'] },
  ),
  makeDataRule('numbers', 'numbers are kept to the last digit', 'must', 'Ids and amounts of money change.', {
    numbers: [9007199254740991, -9007199254740991, 0.1, 1e-7, 1.7976931348623157e308, 5e-324, -1.5],
  }),
  makeDataRule(
    'odd-keys',
    'keys with dots, dollar signs and blanks are kept',
    'should',
    'What an application calls its data breaks the save, or reaches the query language of the database.',
    { $set: { a: 1 }, 'a.b': 2, ' ': 3, $where: '1', ключ: 4, deep: { $gt: '', 'x.y': { $in: [1] } } },
  ),
  makeDataRule(
    'keys-that-stores-use',
    'keys that look like the columns of a store are the application’s own',
    'should',
    'An application that keeps something under such a name loses it.',
    {
      sid: 1,
      sess: 2,
      expires: 'never',
      lastModified: 3,
      data: 4,
      tag: 5,
      user: 6,
      ttl: 7,
      expire: 8,
      _id: 9,
    },
  ),
  makeDataRule(
    'json-in-json',
    'text that is JSON itself, or digits alone, stays text',
    'must',
    'A text comes back as a number or as an object, and the application fails.',
    { digits: '12345678901234567890', json: '{"a":1}', null: 'null', quoted: '"x"' },
  ),
  makeDataRule(
    'nothing-but-a-cookie',
    'a session that holds nothing is there',
    'must',
    'A visitor gets a new id with every request.',
    {},
  ),
  makeDataRule(
    'a-mebibyte',
    'a session of a mebibyte is kept',
    'must',
    'Whoever fills a large form loses it.',
    {
      text: 'x'.repeat(MIB),
    },
  ),
  makeDataRule(
    'ten-thousand-keys',
    'a session of 10,000 keys is kept',
    'should',
    'A long list breaks the session.',
    {
      keys: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key-${i}`, i])),
    },
  ),
  {
    id: 'data/nul',
    title: 'text with NUL characters is kept, or refused with an error',
    level: 'should',
    why: 'What a user pastes is cut off, or the session is gone.',
    async check({ store, session }) {
      const text = 'before\0after'
      const refused = await isRefused(store.set(ID, session({ text })))
      if (!refused) expectData(await store.data(ID), { text })
    },
  },
  {
    id: 'data/lone-surrogates',
    title: 'text with half of a character is kept, or refused with an error',
    level: 'info',
    why: 'A text that was cut in the middle of an emoji comes back as another.',
    async check({ store, session }) {
      const text = 'x\ud83d'
      const refused = await isRefused(store.set(ID, session({ text })))
      if (!refused) expectData(await store.data(ID), { text })
    },
  },
  {
    id: 'data/nested-deeply',
    title: 'a session that is nested 500 deep is kept, or refused with an error',
    level: 'should',
    why: 'A long thread of comments is cut off, or the session cannot be read any more.',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      let deep: object = { bottom: 'here' }
      for (let i = 0; i < 500; i++) deep = { deeper: deep }
      const loaded = await store.open(ID)
      loaded.deep = deep
      const refused = await isRefused(store.set(ID, loaded))
      expectData(await store.data(ID), refused ? { name: 'Ada' } : { name: 'Ada', deep })
    },
  },
  {
    id: 'data/no-session-is-refused',
    title:
      'an object whose `toJSON`, or whose cookie’s, leaves no session with a cookie is refused, and the session from before stays',
    level: 'should',
    why: 'The save is answered as done, and from then on every request of the user fails, or the user is logged out.',
    async check({ store, session }) {
      for (const [form, make] of Object.entries(malformed)) {
        await store.set(form, session({ name: 'Ada' }))
        const refused = await isRefused(store.set(form, make(session({ name: 'Bob' }))))
        const found = await store.open(form)
        assert.ok(
          ['Ada', refused ? 'Ada' : 'Bob'].includes(found.name as string),
          `${form}: the session is lost`,
        )
      }
    },
  },
  {
    id: 'data/as-json-has-it',
    title: 'what JSON does not know is kept as `JSON.stringify` writes it',
    level: 'should',
    why: 'The same code reads one thing from one store and another from the next.',
    async check({ store, session }) {
      const odd = { date: new Date(0), none: undefined, nan: Number.NaN, map: new Map([[1, 2]]), minus: -0 }
      await store.set(ID, session({ odd, list: [undefined, () => {}], own: { toJSON: () => 'mine' } }))
      const found = await store.data(ID)
      expectData(found, {
        odd: { date: '1970-01-01T00:00:00.000Z', nan: null, map: {}, minus: 0 },
        list: [null, null],
        own: 'mine',
      })
    },
  },
  {
    id: 'data/replaced-as-a-whole',
    title: 'a save replaces all of the session: a key that was deleted is gone',
    level: 'must',
    why: 'What was removed, a permission perhaps, is there again.',
    source: README,
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada', admin: true }))
      const loaded = await store.open(ID)
      delete loaded.admin
      await store.set(ID, loaded)
      expectData(await store.data(ID), { name: 'Ada', admin: undefined })
    },
  },
  {
    id: 'data/order-of-keys',
    title: 'the keys of a session come back in their order',
    level: 'info',
    why: 'A list that is kept as an object is shown in another order.',
    async check({ store, session }) {
      await store.set(ID, session({ zebra: 1, apple: 2, mango: 3 }))
      assert.deepEqual(Object.keys((await store.data(ID))!), ['zebra', 'apple', 'mango'])
    },
  },
  {
    id: 'data/cookie-is-kept',
    title: 'the settings of the cookie are kept',
    level: 'must',
    why: 'The cookie is sent again without the attributes that protect it.',
    source: 'https://www.rfc-editor.org/rfc/rfc6265#section-4.1.2',
    async check({ store, session }) {
      const settings = { path: '/app', domain: 'example.org', secure: true, sameSite: 'strict' as const }
      const opened = Object.assign(session({ name: 'Ada' }), {})
      Object.assign(opened.cookie, settings)
      await store.set(ID, opened)
      const { cookie } = (await store.get(ID))!
      expectData(JSON.parse(JSON.stringify(cookie)), {
        ...settings,
        httpOnly: true,
        originalMaxAge: 3_600_000,
      })
    },
  },
  {
    id: 'data/too-large-is-an-error',
    title: 'a session of 20 MiB is kept, or refused with an error, and then the old one stays',
    level: 'should',
    why: 'One upload too many and the user is logged out.',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const loaded = await store.open(ID)
      loaded.text = 'x'.repeat(20 * MIB)
      const refused = await isRefusedWithError(store.set(ID, loaded))
      const found = await store.data(ID)
      expectData(found, { name: 'Ada' })
      assert.equal(typeof found!.text, refused ? 'undefined' : 'string')
    },
  },
]
