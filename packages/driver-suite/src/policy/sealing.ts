import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { events, type Row, type SessionEvent, type StoreOptions } from '@session-stores/core'
import { DAY, HOUR } from '../common.ts'
import { assertFails, prefixRules, recordMessages, type StoreRule, type Stores } from './fixture.ts'
import { ID, load, makeFresh, makePlain, read, readUser, save } from './sessions.ts'

/** Rules about sessions that are sealed at rest. */

const rule = prefixRules('policy/sealing')

const [FIRST, SECOND] = [randomBytes(32), randomBytes(32)]
const sealWith = (...keys: (Buffer | string)[]): StoreOptions => ({ seal: { keys } })

const OPEN = 'A thief of the database reads sessions, or makes his own.'

async function readRow({ open, drivers: [driver] }: Stores, id = ID): Promise<Row & { data: string }> {
  const [row] = await driver.read([open().handle(id)])
  assert.ok(typeof row?.data === 'string', 'the row is there')
  return row as Row & { data: string }
}

/** Replaces the stored row, as anybody with write access to the database can. */
async function put({ drivers: [driver], clock }: Stores, row: Row): Promise<void> {
  await driver.write([{ ...row, data: null, tag: 'gone', expiresAt: 0 }], clock.now)
  const write = { ...row, tag: `${row.tag.slice(0, 24)}x`, expect: '' }
  assert.deepEqual(await driver.write([write], clock.now), [row.key])
}

export const sealing: StoreRule[] = [
  rule('a-sealed-session-comes-back', 'A sealed session is lost.', async ({ open, openOther }) => {
    const data = { name: 'geheim', text: '😀\ud800\u0000'.repeat(1000), list: [1, null] }
    await open(sealWith(FIRST)).set(ID, makePlain(data))
    assert.deepEqual(await read(openOther(sealWith(FIRST)), ID), data)
    assert.equal(Object.keys(await openOther(sealWith(FIRST)).all()).length, 1)
    const loaded = await load(openOther(sealWith(FIRST)), ID)
    const theirs = await load(open(sealWith(FIRST)), ID)
    theirs.theirs = 1
    await save(theirs)
    loaded.mine = 1
    await save(loaded)
    assert.deepEqual(await read(open(sealWith(FIRST)), ID), { ...data, mine: 1, theirs: 1 })
  }),
  rule('a-sealed-session-says-nothing', OPEN, async (stores) => {
    const store = stores.open(sealWith(FIRST))
    await store.set(ID, makePlain({ name: 'geheim' }))
    const first = await readRow(stores)
    assert.doesNotMatch(first.data, /geheim|name|cookie/)
    await store.set(ID, makePlain({ name: 'geheim' }))
    assert.notEqual((await readRow(stores)).data, first.data, 'the same session looks the same')
  }),
  rule(
    'keys-may-be-written-in-each-way',
    'A key that was copied in another format opens nothing.',
    async ({ open, openOther }) => {
      await open(sealWith(FIRST)).set(ID, makePlain({ name: 'Ada' }))
      for (const key of [
        FIRST.toString('hex'),
        FIRST.toString('hex').toUpperCase(),
        FIRST.toString('base64'),
        FIRST.toString('base64url'),
        new Uint8Array(FIRST),
        createSecretKey(FIRST),
      ])
        assert.deepEqual(await read(openOther({ seal: { keys: [key] } }), ID), { name: 'Ada' })
    },
  ),
  rule(
    'keys-rotate',
    'A change of keys logs everybody out, or the old key can never go.',
    async ({ open, openOther }) => {
      const old = open(sealWith(FIRST))
      await old.set('saved', makePlain({ name: 'Ada' }))
      await old.set('idle', makePlain({ name: 'Grace' }))
      const rotating = openOther(sealWith(SECOND, FIRST))
      const loaded = await load(rotating, 'saved')
      assert.deepEqual(await read(rotating, 'idle'), { name: 'Grace' })
      loaded.turn = 2
      await save(loaded)
      // Another process may know the new key only as its second one, before it seals with that key.
      assert.deepEqual(await read(open(sealWith(FIRST, SECOND)), 'saved'), { name: 'Ada', turn: 2 })
      const rotated = open(sealWith(SECOND))
      assert.deepEqual(await read(rotated, 'saved'), { name: 'Ada', turn: 2 })
      await assertFails('SEAL_BROKEN', rotated.get('idle'), 'idle', 'Grace')
      await assertFails('SEAL_BROKEN', old.get('saved'))
    },
  ),
  rule(
    'a-touch-leaves-the-seal',
    'A request that only reads breaks the seal.',
    async ({ open, openOther, clock }) => {
      const store = open(sealWith(FIRST))
      await save(makeFresh(store, ID, { name: 'Ada' }, { expires: new Date(clock.now + HOUR) }))
      const loaded = await load(store, ID)
      await store.touch(ID, loaded)
      assert.deepEqual(await read(openOther(sealWith(FIRST)), ID), { name: 'Ada' })
      loaded.cookie.expires = new Date(clock.now + DAY)
      loaded.cookie.originalMaxAge = DAY
      await store.touch(ID, loaded)
      assert.deepEqual(await read(openOther(sealWith(FIRST)), ID), { name: 'Ada' })
      assert.equal((await openOther(sealWith(FIRST)).get(ID))!.cookie.originalMaxAge, DAY)
    },
  ),
  rule('a-changed-bit-breaks-the-seal', OPEN, async (stores) => {
    const store = stores.open(sealWith(FIRST))
    await store.set(ID, makePlain({ name: 'geheim' }))
    const row = await readRow(stores)
    const prefix = row.data.lastIndexOf(':') + 1
    const bytes = Buffer.from(row.data.slice(prefix), 'base64url')
    // These bytes are in each part of the sealed text: key id, nonce, tag and ciphertext.
    for (const at of [0, 3, 4, 15, 16, 31, 32, bytes.length - 1]) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1
      await put(stores, { ...row, data: row.data.slice(0, prefix) + changed.toString('base64url') })
      await assertFails('SEAL_BROKEN', store.get(ID), ID, 'geheim')
    }
    for (const length of [0, 4, 16, 31, 32, bytes.length - 1]) {
      await put(stores, {
        ...row,
        data: row.data.slice(0, prefix) + bytes.subarray(0, length).toString('base64url'),
      })
      await assertFails('SEAL_BROKEN', store.get(ID), ID, 'geheim')
    }
    await put(stores, row)
    assert.deepEqual(await read(store, ID), { name: 'geheim' })
  }),
  rule(
    'a-seal-holds-for-its-row-alone',
    'Whoever can write to the database puts an admin’s session in place of his own.',
    async (stores) => {
      const store = stores.open(sealWith(FIRST))
      await store.set('admin', makePlain({ role: 'admin' }))
      await store.set('guest', makePlain({ role: 'guest' }))
      const [admin, guest] = [await readRow(stores, 'admin'), await readRow(stores, 'guest')]
      await put(stores, { ...guest, data: admin.data })
      await assertFails('SEAL_BROKEN', store.get('guest'), 'guest', 'admin')
      assert.deepEqual(await read(store, 'admin'), { role: 'admin' })
    },
  ),
  rule(
    'a-seal-holds-for-its-user-its-beginning-and-its-place',
    'Whoever can write to the database makes a session another user’s, hides it from its user, or lets it live on.',
    async (stores) => {
      const options = { ...sealWith(FIRST), user: readUser }
      const store = stores.open(options)
      await store.set(ID, makePlain({ user: 'ann' }))
      await store.set('other', makePlain({ user: 'bob' }))
      const [row, { user: bob }] = [await readRow(stores), await readRow(stores, 'other')]
      const changes: Partial<Row>[] = [{ user: null }, { user: bob }, { createdAt: row.createdAt + DAY }]
      for (const change of changes) {
        await put(stores, { ...row, ...change })
        await assertFails('SEAL_BROKEN', store.get(ID), ID, 'ann')
        assert.equal((await store.list({ user: 'bob' })).sessions.length, 1)
      }
      await put(stores, row)
      assert.deepEqual(await read(store, ID), { user: 'ann' })
      // A changed deadline does not break the seal, because a touch may move it.
      await put(stores, { ...row, expiresAt: row.expiresAt + HOUR })
      assert.deepEqual(await read(store, ID), { user: 'ann' })
      const elsewhere = stores.openOn({ ...stores.drivers[0], place: 'another table' }, options)
      await assertFails('SEAL_BROKEN', elsewhere.get(ID), ID, 'ann')
    },
  ),
  rule(
    'a-sealed-session-that-changes-its-user-stays-open',
    'A sign-in under sealing logs the user out.',
    async ({ open, openOther, clock }) => {
      const options = { ...sealWith(FIRST), user: readUser }
      const [store, second] = [open(options), openOther(options)]
      await store.set(ID, makePlain())
      const [mine, theirs] = [await load(store, ID), await load(second, ID)]
      clock.now += HOUR
      mine.user = 'ann'
      await save(mine)
      theirs.theirs = 1
      await save(theirs)
      assert.deepEqual(await read(second, ID), { user: 'ann', theirs: 1 })
      assert.equal((await second.list({ user: 'ann' })).sessions.length, 1)
      await store.set(ID, makePlain({ user: 'bob' }))
      assert.deepEqual(await read(second, ID), { user: 'bob' })
      assert.equal(await second.revokeUser('bob'), 1)
    },
  ),
  rule('a-plain-session-is-not-taken-for-a-sealed-one', OPEN, async (stores) => {
    const store = stores.open(sealWith(FIRST))
    await stores.openOther().set(ID, makePlain({ name: 'geheim' }))
    await assertFails('NOT_SEALED', store.get(ID), ID, 'geheim')
    await store.set('sealed', makePlain({ name: 'Ada' }))
    const heard = await recordMessages<SessionEvent>(events.unreadable, async () => {
      assert.deepEqual(Object.keys(await store.all()), [store.handle('sealed')])
      assert.equal((await store.list()).sessions.length, 1)
    })
    assert.deepEqual(
      heard.map(({ handle, error }) => [handle, (error as { code: string }).code]),
      Array(2).fill([store.handle(ID), 'NOT_SEALED']),
    )
    // A plain session can still be replaced.
    await store.set(ID, makePlain({ name: 'sealed' }))
    assert.deepEqual(await read(store, ID), { name: 'sealed' })
  }),
  rule(
    'acceptPlain-moves-a-store-to-sealing',
    'Sealing cannot be turned on without logging everybody out.',
    async (stores) => {
      await stores.openOther().set(ID, makePlain({ name: 'geheim' }))
      const store = stores.open({ seal: { keys: [FIRST], acceptPlain: true } })
      const loaded = await load(store, ID)
      assert.equal(loaded.name, 'geheim')
      loaded.turn = 2
      await save(loaded)
      assert.doesNotMatch((await readRow(stores)).data, /geheim/)
      assert.deepEqual(await read(stores.openOther(sealWith(FIRST)), ID), { name: 'geheim', turn: 2 })
      const row = await readRow(stores)
      await put(stores, {
        ...row,
        data: `${row.data.slice(0, -4)}${row.data.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`,
      })
      await assertFails('SEAL_BROKEN', store.get(ID))
    },
  ),
  rule(
    'a-sealed-session-needs-its-key',
    'A server without keys takes ciphertext for a session.',
    async ({ open, openOther }) => {
      await open(sealWith(FIRST)).set(ID, makePlain({ name: 'geheim' }))
      await assertFails('SEAL_BROKEN', openOther().get(ID), ID, 'geheim')
      await assertFails('SEAL_BROKEN', openOther(sealWith(SECOND)).get(ID), ID, 'geheim')
      assert.deepEqual(await openOther().all(), {})
    },
  ),
  rule('a-dump-gives-nothing-away', OPEN, async ({ open, openOther, dump }) => {
    const words = [
      'sid-of-the-first',
      'sid-of-the-second',
      'sid-of-the-third',
      'ann@example.org',
      'geheim',
      'schluessel',
    ]
    const [first, second, third, user, value, key] = words as [string, string, string, string, string, string]
    const options = { ...sealWith(FIRST), user: () => user }
    const [store, reader] = [open(options), openOther(options)]
    await save(makeFresh(store, first, { [key]: value, user }))
    await store.set(second, makePlain({ [key]: value, user }))
    await store.set(third, makePlain({ [key]: value, user }))
    const [mine, theirs] = [await load(store, first), await load(reader, first)]
    mine.mine = value
    theirs.theirs = value
    await Promise.all([save(mine), save(theirs)])
    await store.touch(second, await load(store, second))
    await store.destroy(third)
    assert.equal(await reader.revokeUser(user, { except: first }), 1)
    assert.equal((await reader.list({ user })).sessions.length, 1)
    const dumped = await dump()
    assert.ok(dumped.includes(store.handle(first)), 'the dump contains the session')
    const forms = words.flatMap((word) => [
      Buffer.from(word),
      Buffer.from(word, 'utf16le'),
      Buffer.from(Buffer.from(word).toString('base64').slice(0, -4)),
      Buffer.from(Buffer.from(word).toString('hex')),
    ])
    for (const form of forms) assert.ok(!dumped.includes(form), `the dump contains ${form}`)
  }),
  rule(
    'a-dump-without-sealing-gives-no-id-away',
    'Whoever steals a backup of the database takes over every session.',
    async ({ open, dump }) => {
      const store = open({ user: () => 'ann@example.org' })
      await store.set('sid-of-the-first', makePlain({ name: 'Ada' }))
      await store.set('sid-of-the-second', makePlain({ name: 'Ada' }))
      await store.destroy('sid-of-the-second')
      const dumped = await dump()
      assert.ok(dumped.includes(store.handle('sid-of-the-first')), 'the dump contains the session')
      for (const word of ['sid-of', 'ann@']) assert.ok(!dumped.includes(word), `the dump contains ${word}`)
    },
  ),
]
