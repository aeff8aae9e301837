import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { mongoServer, postgresServer, redisServer } from '@session-stores/testbed'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { describeWith } from '@session-stores/testbed/vitest'
import type { SessionData } from 'express-session'
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

const handlesIn = (outcome: Outcome): string[] =>
  jsonLines<{ handle: string }>(outcome)
    .map(({ handle }) => handle)
    .sort()

/** The same tests on each database. */
function declare(database: DatabaseId, url: () => string): void {
  const makePlace = (): Place => newPlace(database, url())
  const run = (place: Place, ...args: string[]) => runCommand([...args, ...flagsOf(place)])

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
    expect(handlesIn(all)).toEqual(handles.slice(1).sort())
    for (const { createdAt, expiresAt } of listed) {
      const lifetime = Date.parse(expiresAt) - Date.parse(createdAt)
      expect(Math.abs(lifetime - 3_600_000)).toBeLessThanOrEqual(2000)
    }
    expect(handlesIn(ofBen)).toEqual(handles.slice(3).sort())
    expect(table.code).toBe(0)
    const rows = table.stdout.trim().split('\n')
    expect(rows[0]).toMatch(/^HANDLE +CREATED +EXPIRES$/)
    expect(rows.slice(1)).toHaveLength(2)
    for (const row of rows.slice(1)) expect(handles).toContain(row.split(' ')[0])
    expect(table.stderr).toContain('There may be more than 2 sessions')
    for (const outcome of [all, ofBen, table]) expectNoSecrets(outcome, ids)
  })

  test('revokes a session by its handle, those of a user, and all', async () => {
    const place = makePlace()
    const store = openStore(place)
    const anns = await saveSessions(store, 3, 'ann')
    const bens = await saveSessions(store, 2, 'ben')
    const [first, ...others] = anns as [string, ...string[]]

    const one = await run(place, 'revoke', store.handle(first))
    expect(one).toMatchObject({ code: 0, stdout: '1 session has ended.\n', stderr: '' })
    expect(await store.get(first)).toBeNull()
    expect(await store.get(others[0]!)).not.toBeNull()
    const again = await run(place, 'revoke', store.handle(first), '--json')
    expect(again).toMatchObject({ code: 1, stdout: '{"revoked":0}\n' })

    const user = await run(place, 'revoke', '--user', 'ann', '--json')
    expect(user).toMatchObject({ code: 0, stdout: '{"revoked":2}\n', stderr: '' })
    expect(await Promise.all(anns.map((id) => store.get(id)))).toEqual([null, null, null])
    expect(await store.length()).toBe(2)

    const unsure = await run(place, 'revoke', '--all')
    expect(unsure).toMatchObject({ code: 2, stdout: '' })
    expect(unsure.stderr).toContain('Add --yes')
    expect(await store.length()).toBe(2)
    const all = await run(place, 'revoke', '--all', '--yes')
    expect(all).toMatchObject({ code: 0, stdout: '2 sessions have ended.\n', stderr: '' })
    expect(await store.length()).toBe(0)
    for (const outcome of [one, again, user, unsure, all]) expectNoSecrets(outcome, [...anns, ...bens])
  })

  test('revokes a session whose handle begins with a dash', async () => {
    const place = makePlace()
    const store = openStore(place)
    let id = randomBytes(24).toString('base64url')
    while (!store.handle(id).startsWith('-')) id = randomBytes(24).toString('base64url')
    await store.set(id, { cookie: { originalMaxAge: 3_600_000, path: '/' } } as unknown as SessionData)
    const outcome = await runCommand(['revoke', store.handle(id), ...flagsOf(place), '--json'])
    expect(outcome).toMatchObject({ code: 0, stdout: '{"revoked":1}\n', stderr: '' })
    expect(await store.get(id)).toBeNull()
  })

  test('prunes what has expired', async () => {
    const place = makePlace()
    // An application of long ago left these rows.
    const past = openStore(place, { now: () => Date.now() - 10 * 86_400_000 })
    await saveSessions(past, 3)
    const store = openStore(place)
    const ids = await saveSessions(store, 1)
    const outcome = await run(place, 'prune', '--json')
    // Redis has removed them by itself, and MongoDB may have.
    const expected = { redis: [0], mongodb: [0, 3], postgres: [3], sqlite: [3] }[database]
    expect(expected.map((removed) => `{"removed":${removed}}\n`)).toContain(outcome.stdout)
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(await store.length()).toBe(1)
    expectNoSecrets(outcome, ids)
  })

  // The other databases keep keys as SQLite does, in a table.
  if (database === 'redis' || database === 'sqlite')
    test('shows no id of a store that keeps ids as they are', async () => {
      const place = makePlace()
      const store = openStore(place, { hashIds: false })
      const ids = await saveSessions(store, 3)
      const left = await run(place, 'list', '--json')
      expect(left).toMatchObject({ code: 0, stdout: '' })
      expect(left.stderr).toContain('3 sessions are left out')
      const listed = await run(place, 'list', '--json', '--plain-ids')
      expect(handlesIn(listed)).toEqual(ids.map((id) => store.handle(id)).sort())
      const revoked = await run(place, 'revoke', store.handle(ids[0]!), '--plain-ids')
      expect(revoked).toMatchObject({ code: 0, stdout: '1 session has ended.\n' })
      expect(await store.get(ids[0]!)).toBeNull()
      for (const outcome of [left, listed, revoked]) expectNoSecrets(outcome, ids)
    })

  test('makes nothing at a place where there are no sessions', async () => {
    const place = makePlace()
    const outcome = await run(place, 'list')
    // A prefix of Redis needs not be made.
    if (database === 'redis') return expect(outcome.code).toBe(0)
    expect(outcome).toMatchObject({ code: 2, stdout: '' })
    expect(outcome.stderr).toMatch(/^error: .*(There is no|the table is missing)/)
  })
}

describe('SQLite', () => declare('sqlite', () => join(newFolder(), 'sessions.db')))
describeWith('Redis', redisServer, ({ url }) => declare('redis', () => url))
describeWith('PostgreSQL', postgresServer, ({ url }) => declare('postgres', () => url))
describeWith('MongoDB', mongoServer, ({ url }) => declare('mongodb', () => url))
