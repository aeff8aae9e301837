import assert from 'node:assert/strict'
import { assertFails, prefixRules, type StoreRule } from './fixture.ts'
import { makePlain, read } from './sessions.ts'

/** Rules about which ids a store accepts, and that each id has a session of its own. */

const rule = prefixRules('policy/ids')

const printable = [
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'null',
    'undefined',
    'true',
    '0',
    '00',
    '007',
    '1e3',
    '-1',
  ],
  ...['a', 'A', 'aa', 'ss', 'a:b', 'a%3Ab', 'a%253Ab', ':', '::', '%', '%25', '%3A', '%3a'],
  ...[
    '*',
    '?',
    '[a]',
    '_',
    '\\',
    '/',
    '../a',
    '.',
    "'",
    '"',
    '`',
    '$x',
    'a.b',
    '{a}',
    '--',
    ';',
    "';--",
    '~!@#^&()+=|<>,',
  ],
  ...['x'.repeat(255), 'x'.repeat(256), ':'.repeat(256)],
]
const others = ['a ', ' a', ' ', 'a\u0000', 'a\u0000b', '\n', 'é', 'e\u0301', 'ß', '😀'.repeat(128)]

const APART = 'One user gets the session of another, or an id is taken for a command.'

export const ids: StoreRule[] = [
  rule('every-id-is-a-session-of-its-own', APART, async ({ open, openOther }) => {
    const all = [...printable, ...others]
    const store = open()
    await Promise.all(all.map((id) => store.set(id, makePlain({ id }))))
    const reader = openOther()
    assert.deepEqual(
      await Promise.all(all.map((id) => read(reader, id))),
      all.map((id) => ({ id })),
    )
    assert.equal(await store.length(), all.length)
    assert.deepEqual((await store.ids()).sort(), all.map((id) => store.handle(id)).sort())
    await reader.destroy('*')
    await reader.destroy('a')
    assert.equal(await store.length(), all.length - 2)
  }),
  rule('every-unhashed-id-is-a-session-of-its-own', APART, async ({ open, openOther }) => {
    const store = open({ hashIds: false })
    await Promise.all(printable.map((id) => store.set(id, makePlain({ id }))))
    const reader = openOther({ hashIds: false })
    assert.deepEqual(
      await Promise.all(printable.map((id) => read(reader, id))),
      printable.map((id) => ({ id })),
    )
    await reader.destroy('*')
    await reader.destroy('a')
    const left = printable.filter((id) => id !== '*' && id !== 'a').sort()
    assert.deepEqual((await store.ids()).sort(), left)
    const everything = await store.all()
    assert.deepEqual(Object.keys(everything).sort(), left)
    for (const id of left)
      assert.deepEqual(Object.getOwnPropertyDescriptor(everything, id)?.value, makePlain({ id }))
    assert.deepEqual(
      (await store.list()).sessions.map(({ handle }) => handle).sort(),
      left.map((id) => store.handle(id)).sort(),
    )
  }),
  rule(
    'an-unhashed-id-is-revoked-by-its-handle',
    'A session in the list cannot be ended.',
    async ({ open }) => {
      const store = open({ hashIds: false })
      await store.set('a:b', makePlain())
      await store.set('a%3Ab', makePlain())
      assert.notEqual(store.handle('a:b'), 'a:b')
      assert.equal(await store.revoke(store.handle('a:b')), true)
      assert.deepEqual(await store.ids(), ['a%3Ab'])
      assert.equal(await store.revoke(store.handle('a:b')), false)
    },
  ),
  rule('handles-do-not-sign-in', 'Whoever sees the list of sessions can take one over.', async ({ open }) => {
    const store = open()
    await store.set('an-id', makePlain())
    const [handle] = await store.ids()
    assert.equal(handle, store.handle('an-id'))
    assert.equal(await store.get(handle!), null)
    await assertFails('INVALID_ID', store.set(handle!, makePlain()))
    assert.ok(await store.get('an-id'))
    assert.equal(await store.length(), 1)
  }),
  rule(
    'destroy-of-what-all-and-ids-name-ends-the-session',
    'Code for another store signs a user out everywhere, is told that it is done, and nobody is signed out.',
    async ({ open }) => {
      for (const store of [open(), open({ hashIds: false })]) {
        for (let i = 0; i < 20; i++) await store.set(`id-${i}`, makePlain())
        const [first, ...others] = await store.ids()
        await store.destroy(first!)
        assert.equal(await store.length(), 19)
        assert.deepEqual(Object.keys(await store.all()).sort(), others.sort())
        await Promise.all(others.map((name) => store.destroy(name)))
        assert.equal(await store.length(), 0)
        for (let i = 0; i < 20; i++) await assertFails('GONE', store.set(`id-${i}`, makePlain()))
      }
    },
  ),
  ...Object.entries({
    'an-empty-id': '',
    'an-id-over-256-characters': 'x'.repeat(257),
    'a-huge-id': 'x'.repeat(5_000_000),
    'an-id-with-a-lone-surrogate': 'a\ud800',
  }).map(([name, id]) =>
    rule(
      `nobody-has-${name}`,
      'A visitor who still has the cookie of another system gets an error on every page.',
      async ({ open }) => {
        for (const store of [open(), open({ hashIds: false })]) {
          assert.equal(await store.get(id), null)
          await store.touch(id, makePlain())
          await store.destroy(id)
          await assertFails('INVALID_ID', store.set(id, makePlain()))
          await assertFails('INVALID_ID', (async () => store.handle(id))())
          assert.equal(await store.length(), 0)
        }
      },
    ),
  ),
  ...Object.entries({
    'no-id': undefined,
    'a-null-id': null,
    'a-numeric-id': 123,
    'an-array-id': ['a'],
    'an-object-id': { toString: () => 'a' },
  }).map(([name, id]) =>
    rule(
      `${name}-is-refused`,
      'A bad id reads or ends the session of somebody else, or differs from database to database.',
      async ({ open }) => {
        for (const store of [open(), open({ hashIds: false })]) {
          const bad = id as unknown as string
          await assertFails('INVALID_ID', store.get(bad))
          await assertFails('INVALID_ID', store.set(bad, makePlain()))
          await assertFails('INVALID_ID', store.touch(bad, makePlain()))
          await assertFails('INVALID_ID', store.destroy(bad))
          await assertFails('INVALID_ID', (async () => store.handle(bad))())
          assert.equal(await store.length(), 0)
        }
      },
    ),
  ),
  rule(
    'unhashed-ids-are-printable-ASCII',
    'An id that one database cannot hold works on another.',
    async ({ open }) => {
      const store = open({ hashIds: false })
      for (const id of [...others, '\u007f', 'a\tb']) {
        await assertFails('INVALID_ID', store.set(id, makePlain()))
        assert.equal(await store.get(id), null)
        await store.destroy(id)
      }
      assert.equal(await store.length(), 0)
    },
  ),
]
