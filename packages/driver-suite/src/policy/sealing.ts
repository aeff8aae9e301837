import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { events, type Row, type SessionEvent, type StoreOptions } from '@session-stores/core'
import {
  DAY,
  fails,
  fresh,
  HOUR,
  load,
  plain,
  published,
  read,
  ruleOf,
  type StoreRule,
  type Stores,
  save,
} from './fixture.ts'

const rule = ruleOf('policy/sealing')

/** Sessions that are sealed at rest. */

const ID = 'the-session-id'
const [FIRST, SECOND] = [randomBytes(32), randomBytes(32)]
const sealed = (...keys: (Buffer | string)[]): StoreOptions => ({ seal: { keys } })

const OPEN = 'A thief of the database reads sessions, or makes his own.'

async function rowOf({ one, drivers: [driver] }: Stores, id = ID): Promise<Row & { data: string }> {
  const [row] = await driver.read([one().handle(id)])
  assert.ok(typeof row?.data === 'string', 'the row is there')
  return row as Row & { data: string }
}

/** Puts the row there, whatever stands there, as whoever has write access to the database can. */
async function put({ drivers: [driver], clock }: Stores, row: Row): Promise<void> {
  await driver.write([{ ...row, data: null, tag: 'gone', expiresAt: 0 }], clock.now)
  const write = { ...row, tag: `${row.tag.slice(0, 24)}x`, expect: '' }
  assert.deepEqual(await driver.write([write], clock.now), [row.key])
}

export const sealing: StoreRule[] = [
  rule('a-sealed-session-comes-back', 'A sealed session is lost.', async ({ one, other }) => {
    const data = { name: 'geheim', text: '😀\ud800\u0000'.repeat(1000), list: [1, null] }
    await one(sealed(FIRST)).set(ID, plain(data))
    assert.deepEqual(await read(other(sealed(FIRST)), ID), data)
    assert.equal(Object.keys(await other(sealed(FIRST)).all()).length, 1)
    const loaded = await load(other(sealed(FIRST)), ID)
    const theirs = await load(one(sealed(FIRST)), ID)
    theirs.theirs = 1
    await save(theirs)
    loaded.mine = 1
    await save(loaded)
    assert.deepEqual(await read(one(sealed(FIRST)), ID), { ...data, mine: 1, theirs: 1 })
  }),
  rule('a-sealed-session-says-nothing', OPEN, async (stores) => {
    const store = stores.one(sealed(FIRST))
    await store.set(ID, plain({ name: 'geheim' }))
    const first = await rowOf(stores)
    assert.doesNotMatch(first.data, /geheim|name|cookie/)
    await store.set(ID, plain({ name: 'geheim' }))
    assert.notEqual((await rowOf(stores)).data, first.data, 'the same session looks the same')
  }),
  rule(
    'keys-may-be-written-in-each-way',
    'A key that was copied in another format opens nothing.',
    async ({ one, other }) => {
      await one(sealed(FIRST)).set(ID, plain({ name: 'Ada' }))
      for (const key of [
        FIRST.toString('hex'),
        FIRST.toString('hex').toUpperCase(),
        FIRST.toString('base64'),
        FIRST.toString('base64url'),
        new Uint8Array(FIRST),
        createSecretKey(FIRST),
      ])
        assert.deepEqual(await read(other({ seal: { keys: [key] } }), ID), { name: 'Ada' })
    },
  ),
  rule(
    'keys-rotate',
    'A change of keys logs everybody out, or the old key can never go.',
    async ({ one, other }) => {
      const old = one(sealed(FIRST))
      await old.set('saved', plain({ name: 'Ada' }))
      await old.set('idle', plain({ name: 'Grace' }))
      const rotating = other(sealed(SECOND, FIRST))
      const loaded = await load(rotating, 'saved')
      assert.deepEqual(await read(rotating, 'idle'), { name: 'Grace' })
      loaded.turn = 2
      await save(loaded)
      // Another process may have the new key only as its second one, before it seals with it.
      assert.deepEqual(await read(one(sealed(FIRST, SECOND)), 'saved'), { name: 'Ada', turn: 2 })
      const rotated = one(sealed(SECOND))
      assert.deepEqual(await read(rotated, 'saved'), { name: 'Ada', turn: 2 })
      await fails('SEAL_BROKEN', rotated.get('idle'), 'idle', 'Grace')
      await fails('SEAL_BROKEN', old.get('saved'))
    },
  ),
  rule(
    'a-touch-leaves-the-seal',
    'A request that only reads breaks the seal.',
    async ({ one, other, clock }) => {
      const store = one(sealed(FIRST))
      await save(fresh(store, ID, { name: 'Ada' }, { expires: new Date(clock.now + HOUR) }))
      const loaded = await load(store, ID)
      await store.touch(ID, loaded)
      assert.deepEqual(await read(other(sealed(FIRST)), ID), { name: 'Ada' })
      loaded.cookie.expires = new Date(clock.now + DAY)
      loaded.cookie.originalMaxAge = DAY
      await store.touch(ID, loaded)
      assert.deepEqual(await read(other(sealed(FIRST)), ID), { name: 'Ada' })
      assert.equal((await other(sealed(FIRST)).get(ID))!.cookie.originalMaxAge, DAY)
    },
  ),
  rule('a-changed-bit-breaks-the-seal', OPEN, async (stores) => {
    const store = stores.one(sealed(FIRST))
    await store.set(ID, plain({ name: 'geheim' }))
    const row = await rowOf(stores)
    const prefix = row.data.lastIndexOf(':') + 1
    const bytes = Buffer.from(row.data.slice(prefix), 'base64url')
    // One in each part: which key, nonce, tag, text.
    for (const at of [0, 3, 4, 15, 16, 31, 32, bytes.length - 1]) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1
      await put(stores, { ...row, data: row.data.slice(0, prefix) + changed.toString('base64url') })
      await fails('SEAL_BROKEN', store.get(ID), ID, 'geheim')
    }
    for (const length of [0, 4, 16, 31, 32, bytes.length - 1]) {
      await put(stores, {
        ...row,
        data: row.data.slice(0, prefix) + bytes.subarray(0, length).toString('base64url'),
      })
      await fails('SEAL_BROKEN', store.get(ID), ID, 'geheim')
    }
    await put(stores, row)
    assert.deepEqual(await read(store, ID), { name: 'geheim' })
  }),
  rule(
    'a-seal-holds-for-its-row-alone',
    'Whoever can write to the database puts an admin’s session in place of his own.',
    async (stores) => {
      const store = stores.one(sealed(FIRST))
      await store.set('admin', plain({ role: 'admin' }))
      await store.set('guest', plain({ role: 'guest' }))
      const [admin, guest] = [await rowOf(stores, 'admin'), await rowOf(stores, 'guest')]
      await put(stores, { ...guest, data: admin.data })
      await fails('SEAL_BROKEN', store.get('guest'), 'guest', 'admin')
      assert.deepEqual(await read(store, 'admin'), { role: 'admin' })
    },
  ),
  rule(
    'a-seal-holds-for-its-user-its-beginning-and-its-place',
    'Whoever can write to the database makes a session another user’s, hides it from its user, or lets it live on.',
    async (stores) => {
      const options = { ...sealed(FIRST), user: (session: object) => (session as { user?: string }).user }
      const store = stores.one(options)
      await store.set(ID, plain({ user: 'ann' }))
      await store.set('other', plain({ user: 'bob' }))
      const [row, { user: bob }] = [await rowOf(stores), await rowOf(stores, 'other')]
      const changes: Partial<Row>[] = [{ user: null }, { user: bob }, { createdAt: row.createdAt + DAY }]
      for (const change of changes) {
        await put(stores, { ...row, ...change })
        await fails('SEAL_BROKEN', store.get(ID), ID, 'ann')
        assert.equal((await store.list({ user: 'bob' })).sessions.length, 1)
      }
      await put(stores, row)
      assert.deepEqual(await read(store, ID), { user: 'ann' })
      // A touch may move the deadline, which is not sealed, and whatever else happens to a session keeps its seal.
      await put(stores, { ...row, expiresAt: row.expiresAt + HOUR })
      assert.deepEqual(await read(store, ID), { user: 'ann' })
      const elsewhere = stores.on({ ...stores.drivers[0], place: 'another table' }, options)
      await fails('SEAL_BROKEN', elsewhere.get(ID), ID, 'ann')
    },
  ),
  rule(
    'a-sealed-session-that-changes-its-user-stays-open',
    'A sign-in under sealing logs the user out.',
    async ({ one, other, clock }) => {
      const options = { ...sealed(FIRST), user: (session: object) => (session as { user?: string }).user }
      const [store, second] = [one(options), other(options)]
      await store.set(ID, plain())
      const [mine, theirs] = [await load(store, ID), await load(second, ID)]
      clock.now += HOUR
      mine.user = 'ann'
      await save(mine)
      theirs.theirs = 1
      await save(theirs)
      assert.deepEqual(await read(second, ID), { user: 'ann', theirs: 1 })
      assert.equal((await second.list({ user: 'ann' })).sessions.length, 1)
      await store.set(ID, plain({ user: 'bob' }))
      assert.deepEqual(await read(second, ID), { user: 'bob' })
      assert.equal(await second.revokeUser('bob'), 1)
    },
  ),
  rule('a-plain-session-is-not-taken-for-a-sealed-one', OPEN, async (stores) => {
    const store = stores.one(sealed(FIRST))
    await stores.other().set(ID, plain({ name: 'geheim' }))
    await fails('NOT_SEALED', store.get(ID), ID, 'geheim')
    await store.set('sealed', plain({ name: 'Ada' }))
    const heard = await published<SessionEvent>(events.unreadable, async () => {
      assert.deepEqual(Object.keys(await store.all()), [store.handle('sealed')])
      assert.equal((await store.list()).sessions.length, 1)
    })
    assert.deepEqual(
      heard.map(({ handle, error }) => [handle, (error as { code: string }).code]),
      Array(2).fill([store.handle(ID), 'NOT_SEALED']),
    )
    // It can still be replaced and ended.
    await store.set(ID, plain({ name: 'sealed' }))
    assert.deepEqual(await read(store, ID), { name: 'sealed' })
  }),
  rule(
    'acceptPlain-moves-a-store-to-sealing',
    'Sealing cannot be turned on without logging everybody out.',
    async (stores) => {
      await stores.other().set(ID, plain({ name: 'geheim' }))
      const store = stores.one({ seal: { keys: [FIRST], acceptPlain: true } })
      const loaded = await load(store, ID)
      assert.equal(loaded.name, 'geheim')
      loaded.turn = 2
      await save(loaded)
      assert.doesNotMatch((await rowOf(stores)).data, /geheim/)
      assert.deepEqual(await read(stores.other(sealed(FIRST)), ID), { name: 'geheim', turn: 2 })
      const row = await rowOf(stores)
      await put(stores, {
        ...row,
        data: `${row.data.slice(0, -4)}${row.data.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`,
      })
      await fails('SEAL_BROKEN', store.get(ID))
    },
  ),
  rule(
    'a-sealed-session-needs-its-key',
    'A server without keys takes ciphertext for a session.',
    async ({ one, other }) => {
      await one(sealed(FIRST)).set(ID, plain({ name: 'geheim' }))
      await fails('SEAL_BROKEN', other().get(ID), ID, 'geheim')
      await fails('SEAL_BROKEN', other(sealed(SECOND)).get(ID), ID, 'geheim')
      assert.deepEqual(await other().all(), {})
    },
  ),
  rule('a-dump-gives-nothing-away', OPEN, async ({ one, other, dump }) => {
    const words = [
      'sid-of-the-first',
      'sid-of-the-second',
      'sid-of-the-third',
      'ann@example.org',
      'geheim',
      'schluessel',
    ]
    const [first, second, third, user, value, key] = words as [string, string, string, string, string, string]
    const options = { ...sealed(FIRST), user: () => user }
    const [store, reader] = [one(options), other(options)]
    await save(fresh(store, first, { [key]: value, user }))
    await store.set(second, plain({ [key]: value, user }))
    await store.set(third, plain({ [key]: value, user }))
    const [mine, theirs] = [await load(store, first), await load(reader, first)]
    mine.mine = value
    theirs.theirs = value
    await Promise.all([save(mine), save(theirs)])
    await store.touch(second, await load(store, second))
    await store.destroy(third)
    assert.equal(await reader.revokeUser(user, { except: first }), 1)
    assert.equal((await reader.list({ user })).sessions.length, 1)
    const dumped = await dump()
    assert.ok(dumped.includes(store.handle(first)), 'the dump is one')
    const forms = words.flatMap((word) => [
      Buffer.from(word),
      Buffer.from(word, 'utf16le'),
      Buffer.from(Buffer.from(word).toString('base64').slice(0, -4)),
      Buffer.from(Buffer.from(word).toString('hex')),
    ])
    for (const form of forms) assert.ok(!dumped.includes(form), `the dump holds ${form}`)
  }),
  rule(
    'a-dump-without-sealing-gives-no-id-away',
    'Whoever steals a backup of the database takes over every session.',
    async ({ one, dump }) => {
      const store = one({ user: () => 'ann@example.org' })
      await store.set('sid-of-the-first', plain({ name: 'Ada' }))
      await store.set('sid-of-the-second', plain({ name: 'Ada' }))
      await store.destroy('sid-of-the-second')
      const dumped = await dump()
      assert.ok(dumped.includes(store.handle('sid-of-the-first')), 'the dump is one')
      for (const word of ['sid-of', 'ann@']) assert.ok(!dumped.includes(word), `the dump holds ${word}`)
    },
  ),
]
