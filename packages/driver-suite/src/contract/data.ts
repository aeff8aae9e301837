import assert from 'node:assert/strict'
import type { Write } from '@session-stores/core'
import { byKey, CHANGED, HOUR, MINUTE } from '../common.ts'
import {
  type DriverRule,
  hashUser,
  KEY,
  landAll,
  makeKeys,
  makeSession,
  makeTombstone,
  put,
  read,
  readLive,
  toRow,
  write,
} from './fixture.ts'

/** Rules about reading: every row must come back as it was written, whatever it contains. */

/**
 * Makes a rule that reads rows back through both drivers and compares them with what was written.
 */
function makeReadBackRule(id: string, why: string, rows: (now: number) => Write[]): DriverRule {
  return {
    id: `contract/data/${id}`,
    why,
    async check({ a, b, now }) {
      const written = rows(now)
      await put(a, now, ...written)
      const expected = written.map(toRow).sort(byKey)
      const keys = written.map(({ key }) => key)
      assert.deepEqual(await readLive(b, now, ...keys), expected)
      for (const row of expected) assert.deepEqual(await read(a, row.key), [row], 'read by itself')
    },
  }
}

const makePayloadRule = (name: string, why: string, ...texts: string[]): DriverRule =>
  makeReadBackRule(`payload-${name}-comes-back`, why, (now) =>
    texts.map((data, i) => makeSession(`${KEY}-${i}`, now, { data })),
  )

export const data: DriverRule[] = [
  {
    id: 'contract/data/read-leaves-missing-rows-out',
    why: 'A visitor with an unknown cookie gets an error, or the session of somebody else.',
    async check({ a, b, now }) {
      assert.deepEqual(await read(a, KEY), [])
      const rows = [makeSession('b', now), makeSession('d', now)]
      await put(a, now, ...rows)
      assert.deepEqual(await read(b, 'a', 'b', 'c', 'd', 'e'), rows.map(toRow))
    },
  },
  {
    id: 'contract/data/read-returns-tombstones',
    why: 'A save that came after a logout cannot be told from one that lost a race.',
    async check({ a, b, now }) {
      const rows = [makeSession('alive', now), makeTombstone('dead', now)]
      await put(a, now, ...rows)
      assert.deepEqual(await read(b, 'alive', 'dead'), rows.map(toRow))
    },
  },
  {
    id: 'contract/data/read-of-256-returns-each',
    why: 'Under load, when calls travel together, users appear logged out.',
    async check({ a, b, now }) {
      const keys = makeKeys(256)
      const rows = keys.filter((_, i) => i % 4).map((key) => makeSession(key, now))
      await put(a, now, ...rows)
      assert.deepEqual(await read(b, ...keys), rows.map(toRow))
    },
  },
  {
    id: 'contract/data/rows-read-are-copies',
    why: 'What one request does to its session shows in another request before it is saved.',
    async check({ a, now }) {
      const row = makeSession(KEY, now)
      const written = { ...row }
      await put(a, now, written)
      written.data = 'changed after the write'
      const [first] = await a.read([KEY])
      assert.ok(first)
      first.data = 'changed after the read'
      assert.deepEqual(await read(a, KEY), [toRow(row)])
    },
  },
  makePayloadRule(
    'empty',
    'A serializer that writes nothing for an empty session makes it look destroyed.',
    '',
  ),
  makePayloadRule(
    'null-text',
    'A session whose text happens to read like null looks destroyed.',
    'null',
    'NULL',
    'undefined',
  ),
  makePayloadRule(
    'of-1-MiB',
    'A large session is cut off and cannot be read any more.',
    'x'.repeat(1_048_576),
  ),
  makePayloadRule(
    'of-1-MiB-of-astral-text',
    'A large session is cut off and cannot be read any more.',
    '𝒳'.repeat(262_144),
  ),
  makePayloadRule('astral', CHANGED, '{"name":"𝒳 😀 👩‍👩‍👧 \u{10ffff}"}'),
  makePayloadRule('line-separators', CHANGED, '{"text":"a\u2028b\u2029c\r\nd\re\n"}', '\ufeff{"bom":true}'),
  makePayloadRule('not-normalized', CHANGED, '{"e\u0301":"\u00e9"}', '\u212b\u00c5A\u030a'),
  makePayloadRule(
    'NUL',
    'A session is cut off at its first NUL.',
    '{"text":"a\u0000b"}',
    '\u0000',
    'a\u0000',
  ),
  makePayloadRule(
    'digits',
    'A session becomes a number on its way: 007 is 7.',
    '007',
    '1e3',
    '12345678901234567890',
    '-0',
    '1.0',
  ),
  makePayloadRule(
    'JSON',
    CHANGED,
    JSON.stringify({ text: 'a\u0000b\ud800"\\\n', 'a.b': 1, $x: '', z: { '': [1e21, -0, null] } }),
  ),
  makePayloadRule('whitespace', CHANGED, ' ', '\n', ' {"a": 1} ', '\t'),
  makePayloadRule(
    'quotes',
    "A session's text is taken for a command.",
    `'; DROP TABLE sessions; --`,
    '"',
    '$1 ?1 :a @b',
    '{0}%s\\',
  ),
  makeReadBackRule(
    'keys-come-back-exactly',
    'An id is mistaken for a pattern or another id, and opens another session.',
    (now) =>
      [
        ...[
          'A',
          'a',
          'aa',
          '0',
          '00',
          '123',
          '1e3',
          '-1',
          '*',
          '?',
          '[a]',
          '%25',
          '_',
          '__',
          '\\',
          '/',
          '../a',
          '.',
        ],
        ...[
          "'",
          '"',
          '`',
          '$x',
          'a.b',
          '{a}',
          '{}',
          '--',
          ';',
          '__proto__',
          'constructor',
          'toString',
          'null',
          '~!@#^&()+=|<>,',
        ],
        ...['k'.repeat(43), 'k'.repeat(767), 'k'.repeat(768)],
      ].map((key) => makeSession(key, now)),
  ),
  makeReadBackRule('tags-come-back-exactly', 'Saves are refused as conflicts that are none.', (now) =>
    ['t', '0', '007', '1e3', 'T'.repeat(32), `'"\\%_*?[]{}`, '$1;--`~!@#^&()+=|<>,./'].map((tag, i) =>
      makeSession(`${KEY}-${i}`, now, { tag }),
    ),
  ),
  makeReadBackRule(
    'users-come-back-exactly',
    "A user's sessions are not found when they are to be revoked.",
    (now) =>
      [null, hashUser('ann'), hashUser('Ann'), hashUser('_'), '0'.repeat(43), `${'-'.repeat(42)}_`].map(
        (owner, i) => makeSession(`${KEY}-${i}`, now, { user: owner }),
      ),
  ),
  makeReadBackRule('deadlines-come-back-exactly', 'A session ends early, late or never.', (now) =>
    [now + HOUR + 1, now + HOUR + 999, 2 ** 32 * 1000, 2 ** 43 + 1, 8.64e15 - 1, 8.64e15].map(
      (expiresAt, i) => makeSession(`${KEY}-${i}`, now, { expiresAt }),
    ),
  ),
  makeReadBackRule(
    'creation-times-come-back-exactly',
    'A session reaches its absolute timeout early, late or never.',
    (now) =>
      [0, 1, 999, 2 ** 31, 2 ** 32 + 1, now - 1, now + 1, 8.64e15].map((createdAt, i) =>
        makeSession(`${KEY}-${i}`, now, { createdAt }),
      ),
  ),
  {
    id: 'contract/data/deadlines-at-the-epoch-are-past',
    why: 'A deadline of zero is taken for none, and the session never ends.',
    async check({ a, b, now }) {
      const rows = [0, 1].map((expiresAt) => makeSession(`${KEY}-${expiresAt}`, now, { expiresAt }))
      await put(a, now, ...rows)
      assert.equal(await b.count(now), 0)
      const [first, second] = rows
      await landAll(b, now, makeSession(first!.key, now), makeSession(second!.key, now))
      assert.equal(await a.count(now), 2)
    },
  },
  {
    id: 'contract/data/deadline-is-judged-by-the-time-given',
    why: 'Where the clocks of application and database differ, sessions end early or live on.',
    async check({ a, b, now: real }) {
      // The application's clock is ten minutes slow, so by the database's clock this session has
      // expired.
      const now = real - 10 * MINUTE
      const row = makeSession(KEY, now, { expiresAt: now + 5 * MINUTE })
      await put(a, now, row)
      assert.deepEqual(await readLive(b, now, KEY), [toRow(row)])
      assert.equal(await b.count(now), 1)
      await put(b, now, makeSession(KEY, now, { expect: row.tag, expiresAt: now + 5 * MINUTE }))
      await a.touch([{ key: KEY, user: null, expiresAt: now + 6 * MINUTE }], now)
      assert.equal((await read(b, KEY))[0]?.expiresAt, now + 6 * MINUTE)
      assert.deepEqual(await write(b, now, makeSession(KEY, now)), [])
    },
  },
]
