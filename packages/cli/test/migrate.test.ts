import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { mongoServer, postgresServer, redisServer } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, test, vi } from 'vitest'
import {
  type FormatId,
  makeSession,
  type Old,
  openNew,
  openOld,
  type Place,
  saveOld,
} from '../../legacy/test/support/places.ts'
import { type Outcome, runCommand, startCommand } from './support/command.ts'
import { newFolder } from './support/places.ts'

/** What `migrate --json` prints. */
interface Counts {
  moved: number
  present: number
  unreadable: number
  dryRun: boolean
  complete: boolean
}

const HOUR = 3_600_000

/** Returns the options of the command line for the old and the new store of a place. */
function flagsOf({ format, url, namespace }: Place): string[] {
  switch (format) {
    case 'connect-redis-10':
      return ['--from', 'connect-redis', '--store', url, '--prefix', `new-${namespace}:`].concat(
        ...['--source-place', `old-${namespace}:`],
      )
    case 'connect-mongo-6': {
      const source = new URL(url)
      source.pathname = '/legacy'
      return ['--from', 'connect-mongo', '--store', source.href, '--collection', `new_${namespace}`].concat(
        ...['--source-place', `old_${namespace}`],
      )
    }
    case 'connect-pg-simple-10':
      return ['--from', 'connect-pg-simple', '--store', url, '--table', `new_${namespace}`].concat(
        ...['--source-place', `${namespace}.session`],
      )
    default:
      return ['--from', 'better-sqlite3', '--store', `sqlite:${url}`, '--table', 'app_sessions']
  }
}

async function makeOld(place: Place): Promise<Old> {
  const old = await openOld(place)
  after(() => old.close())
  return old
}

const newPlace = (format: FormatId, url: string): Place => ({
  format,
  url,
  namespace: randomBytes(6).toString('hex'),
})

async function saveMany(old: Old, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomBytes(24).toString('base64url'))
  await Promise.all(
    ids.map((id) => saveOld(old, id, makeSession(HOUR, { user: 'ann', more: 'a secret note' }))),
  )
  return ids
}

function readCounts(outcome: Outcome, ids: readonly string[]): Counts {
  const printed = outcome.stdout + outcome.stderr
  expect(printed).not.toContain('a secret note')
  expect(ids.filter((id) => printed.includes(id))).toEqual([])
  return JSON.parse(outcome.stdout)
}

/** The same test on each format. */
function declare(format: FormatId, url: () => string): void {
  test('moves sessions in, after a dry run', async () => {
    const place = newPlace(format, url())
    const old = await makeOld(place)
    const [broken, ...ids] = (await saveMany(old, 4)) as [string, string, string, string]
    await old.corrupt(broken, 'nonsense')
    const args = ['migrate', ...flagsOf(place), '--user-path', 'user', '--json']

    const dry = await runCommand([...args, '--dry-run'])
    expect(readCounts(dry, ids)).toMatchObject({ moved: 3, unreadable: 1, dryRun: true })

    const moved = await runCommand(args)
    expect(moved.code).toBe(1)
    expect(readCounts(moved, ids)).toMatchObject({ moved: 3, unreadable: 1, dryRun: false, complete: true })
    const store = await openNew(place)
    after(() => store.close())
    expect((await store.list({ user: 'ann' })).sessions).toHaveLength(3)
    expect(await store.get(ids[0]!)).toMatchObject({ user: 'ann', more: 'a secret note' })

    const again = await runCommand(args)
    expect(readCounts(again, ids)).toMatchObject({ moved: 0, unreadable: 1 })
  })
}

describe('from better-sqlite3-session-store', () => {
  const makeUrl = () => join(newFolder(), 'sessions.db')
  declare('better-sqlite3-session-store', makeUrl)

  test('seals with the keys of the environment', async () => {
    const place = newPlace('better-sqlite3-session-store', makeUrl())
    const [id] = await saveMany(await makeOld(place), 1)
    const key = randomBytes(32).toString('base64url')
    const outcome = await runCommand(['migrate', ...flagsOf(place)], { SESSION_STORES_SEAL_KEYS: key })
    expect(outcome).toEqual({ code: 0, stdout: '1 sessions were moved.\n', stderr: '' })
    const store = await openNew(place, { seal: { keys: [key] } })
    after(() => store.close())
    expect(await store.get(id!)).toMatchObject({ user: 'ann' })
  })

  test('a dry run makes no table', async () => {
    const place = newPlace('better-sqlite3-session-store', makeUrl())
    await saveMany(await makeOld(place), 1)
    expect((await runCommand(['migrate', ...flagsOf(place), '--dry-run'])).code).toBe(0)
    const list = await runCommand(['list', '--store', `sqlite:${place.url}`, '--table', 'app_sessions'])
    expect(list).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no such table') })
  })

  test('--keep leaves the rows of the other store', async () => {
    const place = newPlace('better-sqlite3-session-store', makeUrl())
    const ids = await saveMany(await makeOld(place), 2)
    const run = async () =>
      readCounts(await runCommand(['migrate', ...flagsOf(place), '--keep', '--json']), ids)
    expect(await run()).toMatchObject({ moved: 2, present: 0 })
    expect(await run()).toMatchObject({ moved: 0, present: 2 })
  })

  test('says how to go on where it is interrupted, and goes on', async () => {
    const place = newPlace('better-sqlite3-session-store', makeUrl())
    const old = await makeOld(place)
    const ids = await saveMany(old, 1500)
    const store = await openNew(place)
    after(() => store.close())
    await store.ping()
    const { child, ended } = startCommand(['migrate', ...flagsOf(place), '--rate', '1000', '--json'])
    // Behind the first page, the report says by an id where to go on.
    await vi.waitFor(async () => expect(await store.length()).toBeGreaterThan(512), 10_000)
    child.kill('SIGINT')
    const outcome = await ended
    const { moved, complete } = readCounts(outcome, ids)
    expect(outcome.code).toBe(130)
    expect(complete).toBe(false)
    expect(moved).toBe(await store.length())
    expect(moved).toBeLessThan(1500)
    expect(outcome.stderr).toBe(
      `Interrupted. ${moved} sessions were moved. Run the same command again to move the others.\n`,
    )
    const rest = await runCommand(['migrate', ...flagsOf(place), '--json'])
    expect(readCounts(rest, ids)).toMatchObject({ moved: 1500 - moved, complete: true })
  })

  test.each([
    [['--from', 'connect-redsi'], /Allowed choices are connect-redis/],
    [['--from', 'connect-redis', '--source', 'postgres://host/app'], /are not in postgres:\/\/host\/app/],
    [['--from', 'connect-redis', '--source', 'redis://:s3cret@host'], /SESSION_STORES_SOURCE_PASSWORD/],
  ])('refuses %j', async (args, message) => {
    const outcome = await runCommand(['migrate', '--store', 'redis://127.0.0.1:1', ...args])
    expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) })
    expect(outcome.stderr).not.toMatch(/s3cret|^\s+at /m)
  })
})

describeWith('from connect-redis', redisServer, ({ url }) => {
  declare('connect-redis-10', () => url)

  test('refuses a store that has the prefix of the other store', async () => {
    const place = newPlace('connect-redis-10', url)
    await saveMany(await makeOld(place), 1)
    const prefix = `old-${place.namespace}:`
    const flags = ['--from', 'connect-redis', '--store', url, '--prefix', prefix, '--source-place', prefix]
    const outcome = await runCommand(['migrate', ...flags])
    expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('another prefix') })
  })
})
describeWith('from connect-pg-simple', postgresServer, ({ url }) =>
  declare('connect-pg-simple-10', () => url),
)
describeWith('from connect-mongo', mongoServer, ({ url }) => declare('connect-mongo-6', () => url))
