import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { holds, mark, told } from './shared.ts'

/** Ids are text that means nothing to a store, wherever they come from. */

/** Each of these sessions is its own, and goes alone. */
const apart = (
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
      // Those two that are one.
      trace.keep(id, `${found?.id_}`)
      holds(found, { id_: id })
    }
    for (const [i, id] of ids.entries()) {
      trace.keep(...ids)
      await store.destroy(id)
      assert.equal(await store.data(id), undefined)
      for (const other of ids.slice(i + 1)) {
        trace.keep(id, other)
        holds(await store.data(other), { id_: other })
      }
    }
  },
})

/** Refused with an error, or kept exactly. */
const exactOrRefused = (
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
    const refused = await store.set(id, session({ name: 'Ada' })).then(
      () => false,
      (error: unknown) => {
        assert.ok(error instanceof Error)
        return true
      },
    )
    if (!refused) holds(await store.data(id), { name: 'Ada' })
    for (const other of others) holds(await store.data(other), { name: 'another' })
  },
})

/** The characters of an id, as numbers: text that every store keeps. */
const codesOf = (id: string): string => Array.from(id, (char) => char.codePointAt(0)!.toString(16)).join()

export const ids: readonly Rule[] = [
  apart(
    'of-express',
    'ids as express-session makes them are kept apart',
    'must',
    'A user is logged in as another.',
    ['Uk6x-0VLgr_NmvZ7WqPbX2HjT4sYc9Ea', 'Uk6x-0VLgr_NmvZ7WqPbX2HjT4sYc9Eb', '-', '_', '-_-_'],
  ),
  apart('case', 'ids that differ in case are different', 'must', 'A user is logged in as another.', [
    'aBcDeF',
    'abcdef',
    'ABCDEF',
  ]),
  apart(
    'parts-of-each-other',
    'an id that begins like another is another',
    'must',
    'The logout of one user is that of others.',
    ['a', 'ab', 'abc', 'a:b', 'a:', ':a', 'a.b'],
  ),
  apart(
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
  apart(
    'patterns',
    'ids that are patterns or code to a database mean nothing',
    'must',
    'Whoever knows the secret of one site reads or ends the sessions of all.',
    ['*', '?', '[a]', '%', '_', "'", '"', "'OR'1'='1", ';DROP--', '$ne', '{"$gt":""}', '`x`'],
  ),
  apart(
    'paths',
    'ids that are paths lead nowhere',
    'must',
    'A cookie reads or overwrites a file of the server.',
    ['a/../b', './a', '..a', 'a..', '%2e%2e', 'CON', 'a'],
  ),
  apart(
    'long',
    'ids of 200 characters that differ in the last are different',
    'should',
    'A user is logged in as another.',
    [`${'x'.repeat(199)}a`, `${'x'.repeat(199)}b`],
  ),
  exactOrRefused(
    'spaces-at-the-end',
    'an id with a space at its end is another, or refused',
    'should',
    'A user is logged in as another.',
    'abc ',
    ['abc'],
  ),
  exactOrRefused(
    'nul',
    'an id with a NUL character is another, or refused',
    'should',
    'What is behind the character does not count: a user is logged in as another.',
    'abc\0def',
    ['abc'],
  ),
  exactOrRefused(
    'unicode',
    'ids of other scripts are kept, or refused',
    'info',
    'Characters that look alike become one: a user is logged in as another.',
    'K\u0301',
    ['K'],
  ),
  exactOrRefused(
    'empty',
    'the empty id is kept, or refused',
    'info',
    'Whoever has no id shares a session with all who have none.',
    '',
    ['a'],
  ),
  {
    id: 'ids/ill-formed',
    title: 'ids that differ only in halves of characters are different, or refused',
    level: 'should',
    why: 'What cannot be written as UTF-8 becomes the same replacement character: a user is logged in as another.',
    source: 'https://cwe.mitre.org/data/definitions/176.html',
    async check({ store, session }) {
      const all = ['ann\ufffd', 'ann\ud800', 'ann\udfff', '\udc00ann', '\ud800ann']
      const kept = new Set<string>()
      for (const id of all)
        await store.set(id, session({ of: codesOf(id) })).then(
          () => kept.add(id),
          (error: unknown) => assert.ok(error instanceof Error),
        )
      for (const id of kept) holds(await store.data(id), { of: codesOf(id) })
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
      assert.deepEqual(await told(store, names), names)
    },
  },
]
