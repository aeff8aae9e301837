import { join } from 'node:path'
import { mongoServer, postgresServer, redisServer } from '@session-stores/testbed'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, test } from 'vitest'
import { jsonLines, type Outcome, runCommand } from './support/command.ts'
import {
  flagsOf,
  newFolder,
  newPlace,
  openStore,
  PAYLOAD,
  type Place,
  saveSessions,
} from './support/places.ts'

/** Checks that a run of the command printed neither an id nor a payload. */
function expectNoSecrets({ stdout, stderr }: Outcome, ids: readonly string[]): void {
  const printed = stdout + stderr
  expect(printed).not.toContain(PAYLOAD)
  expect(ids.filter((id) => printed.includes(id))).toEqual([])
}

/** The same tests on each database. */
function declare(database: DatabaseId, url: () => string): void {
  const makePlace = (): Place => newPlace(database, url())

  test('lists the handles of the live sessions, of all users or of one', async () => {
    const place = makePlace()
    // A sealed session can be listed without its key.
    const store = openStore(place, { seal: { keys: [crypto.getRandomValues(new Uint8Array(32))] } })
    const ids = [...(await saveSessions(store, 3, 'ann')), ...(await saveSessions(store, 2, 'ben'))]
    await store.destroy(ids[0]!)
    const [all, ofBen, table] = await Promise.all([
      runCommand(['list', ...flagsOf(place), '--json']),
      runCommand(['list', ...flagsOf(place), '--json', '--user', 'ben']),
      runCommand(['list', ...flagsOf(place), '--limit', '2']),
    ])
    const handles = ids.map((id) => store.handle(id))
    expect(all).toMatchObject({ code: 0, stderr: '' })
    const listed = jsonLines<{ handle: string; createdAt: string; expiresAt: string }>(all)
    expect(listed.map(({ handle }) => handle).sort()).toEqual(handles.slice(1).sort())
    for (const { createdAt, expiresAt } of listed) {
      const lifetime = Date.parse(expiresAt) - Date.parse(createdAt)
      expect(Math.abs(lifetime - 3_600_000)).toBeLessThanOrEqual(2000)
    }
    const bens = jsonLines<{ handle: string }>(ofBen).map(({ handle }) => handle)
    expect(bens.sort()).toEqual(handles.slice(3).sort())
    expect(table.code).toBe(0)
    const rows = table.stdout.trim().split('\n')
    expect(rows[0]).toMatch(/^HANDLE +CREATED +EXPIRES$/)
    expect(rows.slice(1)).toHaveLength(2)
    for (const row of rows.slice(1)) expect(handles).toContain(row.split(' ')[0])
    expect(table.stderr).toContain('There may be more than 2 sessions')
    for (const outcome of [all, ofBen, table]) expectNoSecrets(outcome, ids)
  })
}

describe('SQLite', () => declare('sqlite', () => join(newFolder(), 'sessions.db')))
describeWith('Redis', redisServer, ({ url }) => declare('redis', () => url))
describeWith('PostgreSQL', postgresServer, ({ url }) => declare('postgres', () => url))
describeWith('MongoDB', mongoServer, ({ url }) => declare('mongodb', () => url))
