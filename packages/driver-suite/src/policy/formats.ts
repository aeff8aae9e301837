import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  events,
  FORMATS,
  type Format,
  type Row,
  type SessionEvent,
  type StoreOptions,
} from '@session-stores/core'
import { DAY, HOUR } from '../common.ts'
import { assertFails, prefixRules, recordMessages, type StoreRule, type Stores } from './fixture.ts'
import { ID, load, makeLasting, makePlain, read, readUser, save } from './sessions.ts'

/** Rules about sessions that are stored in several formats: two versions of the packages at once. */

const rule = prefixRules('policy/formats')

/** A format that is not released, so that the rules hold before there is a second one. */
const next: Format = {
  encode: (text) => Buffer.from(text).toString('base64url'),
  decode: (encoded) => Buffer.from(encoded, 'base64url').toString(),
}
const OLD = FORMATS
const NEW: readonly Format[] = [...FORMATS, next]
const NEWEST = NEW.length

const SECRET = 'geheim'
const KEY = randomBytes(32)

/** What rows look like that a newer version has stored: a format, a layout, and a seal. */
const newer: Record<string, string> = {
  format: `format:${NEWEST + 7}:${SECRET}`,
  layout: 'format:?:',
  seal: `sealed:3:${SECRET}`,
  'sealed format': `format:${NEWEST + 7}:sealed:2:${SECRET}`,
}

/** Replaces what is stored for the session, as a newer process does, and returns the row. */
async function replaceData(stores: Stores, data: string): Promise<Row> {
  const row = await readRow(stores)
  const write = { ...row, data, tag: `${row.tag.slice(0, 24)}newer`, expect: row.tag, extend: true }
  assert.deepEqual(await stores.drivers[0].write([write], stores.clock.now), [row.key])
  return { ...row, data, tag: write.tag }
}

async function readRow({ open, drivers: [driver] }: Stores): Promise<Row> {
  const store = open()
  // The call sets up the driver, which may have served no store yet.
  await store.ping()
  const [row] = await driver.read([store.handle(ID)])
  assert.ok(row, 'the row is there')
  return row
}

/** Opens stores as the processes of a rolling deploy have them. */
const processes = ({ openOn, drivers: [one, other] }: Stores, options: StoreOptions = {}) => ({
  old: openOn(one, options, OLD),
  careful: openOn(other, options, NEW),
  eager: openOn(other, { ...options, formatVersion: NEWEST }, NEW),
})

const LOST = 'During a rolling deploy users lose their sessions, or what is in them.'

export const formats: StoreRule[] = [
  ...Object.entries(newer).map(([name, data]) =>
    rule(
      `a-newer-${name.replace(' ', '-')}-is-an-error-of-its-own`,
      'A process of the old version signs users out, or says that their sessions are broken.',
      async (stores) => {
        for (const options of [{}, { seal: { keys: [KEY], acceptPlain: true } }, { seal: { keys: [KEY] } }]) {
          const store = stores.open({ user: readUser, ...options })
          await store.set(ID, makePlain({ user: 'ann' }))
          await replaceData(stores, data)
          const calls = [
            store.get(ID),
            store.peek(store.handle(ID)),
            store.update(ID, () => undefined),
            store.set(ID, makePlain({ user: 'bob' })),
          ]
          for (const call of calls) await assertFails('FORMAT_TOO_NEW', call, SECRET, ID)
          await store.destroy(ID)
          await stores.drivers[0].clear()
        }
      },
    ),
  ),
  rule('a-newer-format-is-never-overwritten', LOST, async (stores) => {
    for (const onConflict of ['merge', 'overwrite', 'error'] as const) {
      const store = stores.open({ onConflict })
      await store.set(ID, makePlain({ name: 'Ada' }))
      const [loaded, touched] = [await load(store, ID), await load(store, ID)]
      const stored = await replaceData(stores, newer.format!)
      loaded.name = 'Grace'
      await assertFails(onConflict === 'error' ? 'CONFLICT' : 'FORMAT_TOO_NEW', save(loaded), SECRET, ID)
      await assertFails('FORMAT_TOO_NEW', store.set(ID, makePlain({ name: 'Bob' })), SECRET, ID)
      await assertFails(
        'FORMAT_TOO_NEW',
        store.update(ID, (session) => session),
        SECRET,
        ID,
      )
      // The application changed the cookie, so this touch saves.
      touched.cookie.maxAge = DAY
      await assert.rejects(store.touch(ID, touched))
      assert.deepEqual(await readRow(stores), stored)
      await store.destroy(ID)
      await stores.drivers[0].clear()
    }
  }),
  rule(
    'a-newer-format-ends-with-a-logout',
    'A process of the old version cannot sign a user out, and a stolen session lives on.',
    async (stores) => {
      const store = stores.open({ user: readUser })
      const ends: Record<string, () => Promise<unknown>> = {
        destroy: () => store.destroy(ID),
        revoke: () => store.revoke(store.handle(ID)),
        revokeUser: () => store.revokeUser('ann'),
        clear: () => store.clear(),
      }
      for (const [name, end] of Object.entries(ends)) {
        await store.set(ID, makePlain({ user: 'ann' }))
        const loaded = await load(store, ID)
        await replaceData(stores, newer.format!)
        await end()
        assert.equal(await store.get(ID), null, `${name} leaves the session`)
        assert.equal(await store.length(), 0)
        loaded.late = true
        await save(loaded)
        assert.equal(await store.get(ID), null, `a late save brings the session back after ${name}`)
        await stores.drivers[0].clear()
      }
    },
  ),
  rule(
    'a-newer-format-counts-and-does-not-stop-a-list',
    'One session of a newer process breaks the list of all sessions.',
    async (stores) => {
      const store = stores.open({ user: readUser })
      await store.set('other', makePlain({ user: 'ann' }))
      await store.set(ID, makePlain({ user: 'ann' }))
      await replaceData(stores, newer.format!)
      assert.equal(await store.length(), 2)
      assert.equal((await store.ids()).length, 2)
      const heard = await recordMessages<SessionEvent>(events.unreadable, async () => {
        assert.equal((await store.list()).sessions.length, 1)
        assert.equal((await store.list({ user: 'ann' })).sessions.length, 1)
        assert.deepEqual(Object.keys(await store.all()), [store.handle('other')])
        assert.equal(await store.assignUsers(), 0)
      })
      assert.deepEqual(
        heard.map(({ handle, error }) => [handle, (error as { code: string }).code]),
        Array(4).fill([store.handle(ID), 'FORMAT_TOO_NEW']),
      )
    },
  ),
  rule(
    'a-touch-keeps-a-newer-format-alive',
    'A session ends while its user is at work, because some requests meet a process of the old version.',
    async (stores) => {
      const { clock } = stores
      const store = stores.open()
      await store.set(ID, makeLasting(clock.now, HOUR, { name: 'Ada' }))
      const stored = await replaceData(stores, newer.format!)
      await store.touch(ID, makeLasting(clock.now, DAY))
      const row = await readRow(stores)
      assert.ok(row.expiresAt >= clock.now + DAY - 60_000, 'the deadline was not moved')
      assert.deepEqual(omitDeadline(row), omitDeadline(stored))
    },
  ),
  ...([{}, { seal: { keys: [KEY] } }] as StoreOptions[]).map((options) =>
    rule(`the-last-two-formats-read-each-other${options.seal ? '-sealed' : ''}`, LOST, async (stores) => {
      const { old, careful, eager } = processes(stores, { user: readUser, ...options })
      // First the processes are replaced: the new ones still write the format before the newest.
      await careful.set(ID, makePlain({ user: 'ann', by: 'careful' }))
      assert.deepEqual(await read(old, ID), { user: 'ann', by: 'careful' })
      const [mine, theirs] = [await load(old, ID), await load(careful, ID)]
      theirs.theirs = 1
      await save(theirs)
      mine.mine = 1
      await save(mine)
      assert.deepEqual(await read(careful, ID), { user: 'ann', by: 'careful', mine: 1, theirs: 1 })
      // Then the option is set, process by process.
      const [newest, before] = [await load(eager, ID), await load(careful, ID)]
      newest.newest = 1
      await save(newest)
      await assertFails('FORMAT_TOO_NEW', old.get(ID), ID, 'ann')
      before.before = 1
      await save(before)
      const all = { user: 'ann', by: 'careful', mine: 1, theirs: 1, newest: 1, before: 1 }
      for (const store of [careful, eager, old]) assert.deepEqual(await read(store, ID), all)
      await eager.set(ID, makePlain({ user: 'ann', by: 'eager' }))
      assert.deepEqual(await read(careful, ID), { user: 'ann', by: 'eager' })
      assert.equal((await careful.list({ user: 'ann' })).sessions.length, 1)
      const late = await load(eager, ID)
      await old.destroy(ID)
      late.late = 1
      await save(late)
      for (const store of [old, careful, eager]) assert.equal(await store.get(ID), null)
    }),
  ),
  rule(
    'a-rollback-begins-with-the-option',
    'Who sets the option back still cannot go back to the old version.',
    async (stores) => {
      const { old, careful, eager } = processes(stores, { user: readUser })
      await eager.set(ID, makePlain({ user: 'ann' }))
      await eager.set('idle', makePlain({ user: 'ann' }))
      await assertFails('FORMAT_TOO_NEW', old.get(ID))
      for (const { handle } of (await careful.list()).sessions)
        await careful.update({ handle }, (session) => session)
      assert.deepEqual(await read(old, ID), { user: 'ann' })
      assert.deepEqual(await read(old, 'idle'), { user: 'ann' })
    },
  ),
  rule(
    'a-sealed-format-cannot-be-renamed',
    'Whoever can write to the database has a session read in a format in which it means something else.',
    async (stores) => {
      const { careful, eager } = processes(stores, { seal: { keys: [KEY] } })
      await eager.set(ID, makePlain({ name: 'Ada' }))
      const data = `${(await readRow(stores)).data}`
      const mark = `format:${NEWEST}:`
      assert.ok(data.startsWith(mark), 'the session is stored without its format')
      await replaceData(stores, data.slice(mark.length))
      await assertFails('SEAL_BROKEN', careful.get(ID), ID)
      await careful.set(ID, makePlain({ name: 'Ada' }))
      await replaceData(stores, mark + (await readRow(stores)).data)
      await assertFails('SEAL_BROKEN', careful.get(ID), ID)
    },
  ),
]

const omitDeadline = ({ expiresAt, ...row }: Row): Omit<Row, 'expiresAt'> => row
