import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, findMarked, isRefusedWithError, mark } from './shared.ts'

/** Makes a rule that sessions under these ids are different sessions. */
const makeApartRule = (
  name: string,
  title: string,
  level: Rule['level'],
  why: string,
  ids: readonly string[],
): Rule => ({
  id: `ids/${name}`,
  title,
  level,
  why,
  async check({ store, session, trace }) {
    for (const id of ids) await store.set(id, session({ id_: id }))
    for (const id of ids) {
      const found = await store.data(id)
      // The trace shows the two ids that the store takes for one.
      trace.keep(id, `${found?.id_}`)
      expectData(found, { id_: id })
    }
    for (const [i, id] of ids.entries()) {
      trace.keep(...ids)
      await store.destroy(id)
      assert.equal(await store.data(id), undefined)
      for (const other of ids.slice(i + 1)) {
        trace.keep(id, other)
        expectData(await store.data(other), { id_: other })
      }
    }
  },
})

/** Makes a rule that a session under this id is kept exactly, or refused with an error. */
const makeExactRule = (
  name: string,
  title: string,
  level: Rule['level'],
  why: string,
  id: string,
  others: readonly string[],
): Rule => ({
  id: `ids/${name}`,
  title,
  level,
  why,
  async check({ store, session }) {
    for (const other of others) await store.set(other, session({ name: 'another' }))
    const refused = await isRefusedWithError(store.set(id, session({ name: 'Ada' })))
    if (!refused) expectData(await store.data(id), { name: 'Ada' })
    for (const other of others) expectData(await store.data(other), { name: 'another' })
  },
})

/** Returns the code points of an id in hexadecimal, which every store can keep as text. */
const toCodes = (id: string): string => Array.from(id, (char) => char.codePointAt(0)!.toString(16)).join()

/** Rules that an id is text without a meaning, wherever the id comes from. */
export const ids: readonly Rule[] = [
  makeApartRule(
    'of-express',
    'ids as express-session makes them are kept apart',
    'must',
    'A user is logged in as another.',
    ['Uk6x-0VLgr_NmvZ7WqPbX2HjT4sYc9Ea', 'Uk6x-0VLgr_NmvZ7WqPbX2HjT4sYc9Eb', '-', '_', '-_-_'],
  ),
  makeApartRule('case', 'ids that differ in case are different', 'must', 'A user is logged in as another.', [
    'aBcDeF',
    'abcdef',
    'ABCDEF',
  ]),
  makeApartRule(
    'parts-of-each-other',
    'an id that begins like another id is a different id',
    'must',
    'The logout of one user is that of others.',
    ['a', 'ab', 'abc', 'a:b', 'a:', ':a', 'a.b'],
  ),
  makeApartRule(
    'names-of-javascript',
    'ids such as `__proto__` and `constructor` are ids',
    'must',
    'Whoever sends such a cookie brings the application down, or shares a session with everybody.',
    [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'null',
      'undefined',
      'true',
      '0',
      '007',
      '7',
      '1e3',
      '1000',
    ],
  ),
  makeApartRule(
    'patterns',
    'ids that are patterns or code to a database mean nothing',
    'must',
    'Whoever knows the secret of one site reads or ends the sessions of all.',
    ['*', '?', '[a]', '%', '_', "'", '"', "'OR'1'='1", ';DROP--', '$ne', '{"$gt":""}', '`x`'],
  ),
  makeApartRule(
    'paths',
    'ids that are paths lead nowhere',
    'must',
    'A cookie reads or overwrites a file of the server.',
    ['a/../b', './a', '..a', 'a..', '%2e%2e', 'CON', 'a'],
  ),
  makeApartRule(
    'long',
    'ids of 200 characters that differ in the last are different',
    'should',
    'A user is logged in as another.',
    [`${'x'.repeat(199)}a`, `${'x'.repeat(199)}b`],
  ),
  makeExactRule(
    'spaces-at-the-end',
    'an id with a space at its end is another id, or is refused',
    'should',
    'A user is logged in as another.',
    'abc ',
    ['abc'],
  ),
  makeExactRule(
    'nul',
    'an id with a NUL character is another id, or is refused',
    'should',
    'What is behind the character does not count: a user is logged in as another.',
    'abc\0def',
    ['abc'],
  ),
  makeExactRule(
    'unicode',
    'ids of other scripts are kept, or refused',
    'info',
    'Characters that look alike become one: a user is logged in as another.',
    'K\u0301',
    ['K'],
  ),
  makeExactRule(
    'empty',
    'the empty id is kept, or refused',
    'info',
    'Whoever has no id shares a session with all who have none.',
    '',
    ['a'],
  ),
  {
    id: 'ids/ill-formed',
    title: 'ids that differ only in lone surrogates are different, or refused',
    level: 'should',
    why: 'What cannot be written as UTF-8 becomes the same replacement character: a user is logged in as another.',
    source: 'https://cwe.mitre.org/data/definitions/176.html',
    async check({ store, session }) {
      const all = ['ann\ufffd', 'ann\ud800', 'ann\udfff', '\udc00ann', '\ud800ann']
      const kept = new Set<string>()
      for (const id of all)
        if (!(await isRefusedWithError(store.set(id, session({ of: toCodes(id) }))))) kept.add(id)
      for (const id of kept) expectData(await store.data(id), { of: toCodes(id) })
      for (const id of all)
        if (!kept.has(id)) assert.equal(await store.data(id).catch(() => undefined), undefined)
    },
  },
  {
    id: 'ids/nobody-has-an-impossible-one',
    title:
      'no session is found, touched or destroyed under an id that no store gave out, and that is no error',
    level: 'should',
    why: 'A visitor who still has the cookie of another system, of a thousand characters, gets an error on every page.',
    source: 'https://github.com/auth0/express-openid-connect',
    async check({ store, session }) {
      for (const id of ['x'.repeat(937), 'a b', 'a\0b', '../../a', '%00', '\u00fc', ' ']) {
        assert.equal((await store.get(id)) ?? undefined, undefined)
        if (store.raw.touch) await store.touch(id, session())
        await store.destroy(id)
      }
    },
  },
  {
    id: 'ids/all-of-them-are-listed',
    title: '`all` gives every session, whatever its id',
    level: 'should',
    why: 'A session does not show where an administrator looks for it.',
    methods: ['all'],
    async check({ store, session }) {
      const names = ['__proto__', 'constructor', 'a', 'b', '10', '9']
      for (const name of names) await store.set(name, session(mark(name)))
      assert.deepEqual(await findMarked(store, names), names)
    },
  },
]
