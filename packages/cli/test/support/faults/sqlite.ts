import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreOptions } from '@session-stores/core'
import { after } from '@session-stores/testbed/vitest'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { fileSystemIn } from '../../../src/doctor/sqlite.ts'
import { doctor, expectFound, expectHealthy } from '../doctor.ts'
import { flagsOf, newFolder, newPlace, openStore, type Place, saveSessions } from '../places.ts'

/** Makes a file with three sessions. */
async function makeFile(options: StoreOptions = {}, folder = newFolder()): Promise<Place> {
  const place = newPlace('sqlite', join(folder, 'sessions.db'))
  const store = openStore(place, options)
  await saveSessions(store, 3)
  await store.close()
  return place
}

function change({ url }: Place, sql: string): void {
  const database = new Database(url)
  database.exec(sql)
  database.close()
}

const seal = () => randomBytes(32).toString('base64url')

/** The faults of a SQLite file, and of rows, which are the same on all databases. */
export function declareSqlite(): void {
  describe('doctor on SQLite', () => {
    test('says that a file of the store is healthy', async () => {
      await expectHealthy(flagsOf(await makeFile()))
    })

    test.each([
      ['sqlite/journal-mode', () => 'PRAGMA journal_mode = DELETE'],
      ['sqlite/indexes', (table: string) => `DROP INDEX ${table}_by_user`],
      ['sqlite/no-table', (table: string) => `DROP TABLE ${table}`],
      [
        'sqlite/columns',
        (table: string) => `DROP TABLE ${table}; CREATE TABLE ${table} (key TEXT, data TEXT)`,
      ],
      ['sqlite/never-pruned', (table: string) => `UPDATE ${table} SET purge_at = 1, expires_at = 2`],
      ['rows/unreadable', (table: string) => `UPDATE ${table} SET data = '{"no":"cookie"}'`],
      ['rows/too-new', (table: string) => `UPDATE ${table} SET data = 'format:9:newer'`],
      ['rows/unhashed', (table: string) => `UPDATE ${table} SET key = 'an id, ' || rowid`],
      [
        'legacy/better-sqlite3-session-store',
        () => `CREATE TABLE old (sid TEXT, sess TEXT, expire TEXT); INSERT INTO old VALUES ('id', '{}', '')`,
      ],
    ])('finds %s', async (id, damage) => {
      const place = await makeFile()
      change(place, damage(place.namespace))
      await expectFound([id], flagsOf(place))
    })

    test('finds sqlite/readable', async () => {
      const place = await makeFile()
      // SQLite gives `-wal` and `-shm` the mode of the file.
      chmodSync(place.url, 0o644)
      const report = await expectFound(['sqlite/readable'], flagsOf(place))
      expect(report.findings[0]!.fix).toContain(`chmod 600 ${place.url}`)
    })

    test('finds sqlite/folder', async () => {
      const folder = newFolder()
      chmodSync(folder, 0o777)
      await expectFound(['sqlite/folder'], flagsOf(await makeFile({}, folder)))
    })

    test('finds sqlite/temporary-file', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
      after(() => rmSync(folder, { recursive: true }))
      await expectFound(['sqlite/temporary-file'], flagsOf(await makeFile({}, folder)))
    })

    test('finds sqlite/damaged', async () => {
      const place = await makeFile()
      change(place, 'PRAGMA wal_checkpoint(TRUNCATE)')
      // The pages behind the first one hold the table and its indexes.
      const file = openSync(place.url, 'r+')
      writeSync(file, Buffer.alloc(64, 0xff), 0, 64, readFileSync(place.url).length - 4096)
      closeSync(file)
      await expectFound(['sqlite/damaged'], flagsOf(place))
    })

    test('knows the file system of a file by what is mounted', () => {
      const mounts = [
        '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
        '30 27 0:27 / /srv/shared\\040data rw,relatime shared:1 - nfs4 server:/data rw',
        '31 27 0:28 / /srv/shared\\040data/fast rw - xfs /dev/vdb rw',
      ].join('\n')
      expect(fileSystemIn(mounts, '/srv/shared data/sessions.db')).toBe('nfs4')
      expect(fileSystemIn(mounts, '/srv/shared data/fast/sessions.db')).toBe('xfs')
      expect(fileSystemIn(mounts, '/srv/shared data2/sessions.db')).toBe('ext4')
    })
  })

  describe('doctor on sealed sessions', () => {
    test('finds nothing where all are sealed, with the keys and without', async () => {
      const [old, current] = [seal(), seal()]
      const place = await makeFile({ seal: { keys: [old] } })
      const keys = { SESSION_STORES_SEAL_KEYS: `${current},${old}` }
      const { stdout, stderr } = await expectHealthy([...flagsOf(place), '--sealed'], keys)
      expect(stdout + stderr).not.toContain(old)
      const { report } = await doctor(flagsOf(place))
      expect(report).toMatchObject({
        healthy: true,
        skipped: [{ id: 'store/clock' }, { id: 'rows/seal-broken' }],
      })
    })

    test('finds rows/unsealed where it is asked for, where there are keys, and where some are sealed', async () => {
      const place = await makeFile()
      await expectFound(['rows/unsealed'], [...flagsOf(place), '--sealed'])
      await expectFound(['rows/unsealed'], flagsOf(place), { SESSION_STORES_SEAL_KEYS: seal() })
      const store = openStore(place, { seal: { keys: [seal()], acceptPlain: true } })
      await saveSessions(store, 1)
      await expectFound(['rows/unsealed'], flagsOf(place))
    })

    test('finds rows/seal-broken where no key opens a session', async () => {
      const place = await makeFile({ seal: { keys: [seal()] } })
      await expectFound(['rows/seal-broken'], flagsOf(place), { SESSION_STORES_SEAL_KEYS: seal() })
    })
  })
}
