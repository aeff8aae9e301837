import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Driver, Write } from '@session-stores/core'
import { HOUR, keysOf, listed, sessionsAt } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import Database from 'better-sqlite3'
import { describe, expect, it, vi } from 'vitest'
import { SqliteStore, sqliteDriver } from '../src/index.ts'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
  after(() => rmSync(folder, { recursive: true }))
  return folder
}

const newFile = (): string => join(newFolder(), 'sessions.db')

async function driverOf(options: Parameters<typeof sqliteDriver>[0]): Promise<Driver> {
  const driver = sqliteDriver(options)
  after(() => driver.close())
  await driver.setup()
  return driver
}

/** The owner's own connection. */
function databaseOf(path: string, options?: Database.Options): Database.Database {
  const database = new Database(path, options)
  after(() => database.close())
  return database
}

const NOW = 1_700_000_000_000
const session = sessionsAt(NOW)

async function fill(driver: Driver, keys: string[], more?: Partial<Write>): Promise<void> {
  for (let i = 0; i < keys.length; i += 1000)
    await driver.write(
      keys.slice(i, i + 1000).map((key) => session(key, more)),
      NOW,
    )
}

const keysIn = (driver: Driver, user?: string): Promise<string[]> => listed(driver, 1000, user)

/** How many turns the event loop makes meanwhile. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0
  let done = false
  work.finally(() => {
    done = true
  })
  while (!done) {
    await new Promise(setImmediate)
    turns++
  }
  await work
  return turns
}

describe('options', () => {
  it('names the option that is wrong, and what it takes', () => {
    // @ts-expect-error
    expect(() => new SqliteStore({ pth: 'sessions.db' })).toThrow(
      /unknown option 'pth'.* path, database, table/,
    )
    // @ts-expect-error
    expect(() => new SqliteStore({ path: 7 })).toThrow("option 'path' takes the path of a file")
    // @ts-expect-error
    expect(() => new SqliteStore({ database: 'sessions.db' })).toThrow(
      "option 'database' takes a better-sqlite3",
    )
    expect(() => new SqliteStore({ path: 'sessions.db', idleTimeout: -1 })).toThrow(
      "option 'idleTimeout' takes",
    )
    for (const table of ['', 'a\0b', 'sqlite_sessions'])
      expect(() => sqliteDriver({ path: ':memory:', table })).toThrow("option 'table' takes")
  })

  it('takes either a path or a database', () => {
    const database = databaseOf(':memory:')
    // @ts-expect-error
    expect(() => sqliteDriver({ path: ':memory:', database })).toThrow(TypeError)
    // @ts-expect-error
    expect(() => sqliteDriver({})).toThrow(TypeError)
  })

  it('keeps sessions over a restart', async () => {
    const path = newFile()
    const first = new SqliteStore({ path, pruneInterval: false })
    const cookie = { originalMaxAge: HOUR, path: '/' }
    await first.set('the-id', { cookie, name: 'Ada' } as never)
    await first.close()
    const second = new SqliteStore({ path, pruneInterval: false })
    after(() => second.close())
    expect(await second.get('the-id')).toMatchObject({ name: 'Ada' })
  })

  it.each(['we"ird', "it's", 'a b', 'a;DROP TABLE mine;--', '[x]', 'Übung', 'select', '%s', '--'])(
    'takes %j as the name of a table',
    async (table) => {
      const database = databaseOf(newFile())
      database.exec('CREATE TABLE mine (x); INSERT INTO mine VALUES (1)')
      const driver = await driverOf({ database, table })
      const other = await driverOf({ database })
      await driver.write([session('a', { user: 'u' })], NOW)
      await other.write([session('b')], NOW)
      expect(await keysIn(driver, 'u')).toEqual(['a'])
      await driver.clear()
      expect(await keysIn(driver)).toEqual([])
      expect(await keysIn(other)).toEqual(['b'])
      expect(database.prepare('SELECT count(*) FROM mine').pluck().get()).toBe(1)
      const names = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?")
        .pluck()
      expect(names.get(table)).toBe(table)
    },
  )
})

describe('a database that was lent', () => {
  it('stays open, with its pragmas as they were', async () => {
    const database = databaseOf(newFile())
    const pragmas = ['journal_mode', 'synchronous', 'busy_timeout', 'cache_size', 'wal_autocheckpoint']
    const before = pragmas.map((name) => database.pragma(name))
    const driver = await driverOf({ database })
    await driver.write([session('a')], NOW)
    await driver.close()
    await driver.close()
    expect(pragmas.map((name) => database.pragma(name))).toEqual(before)
    expect(database.prepare('SELECT key FROM sessions').pluck().all()).toEqual(['a'])
  })

  it('may answer in BigInts', async () => {
    const database = databaseOf(':memory:')
    database.defaultSafeIntegers(true)
    const driver = await driverOf({ database })
    await driver.write([session('a')], NOW)
    expect(await driver.read(['a'])).toMatchObject([{ createdAt: NOW, expiresAt: NOW + HOUR }])
    expect(await driver.count(NOW)).toBe(1)
  })

  it('may be in a transaction of its owner, which takes no write along when it is rolled back', async () => {
    const database = databaseOf(newFile())
    const driver = await driverOf({ database })
    database.exec('BEGIN')
    const write = driver.write([session('a')], NOW)
    expect(write).toBeInstanceOf(Promise)
    database.exec('ROLLBACK')
    expect(await write).toEqual(['a'])
    expect(await keysIn(driver)).toEqual(['a'])
  })

  it('may be walking over rows for its owner', async () => {
    const database = databaseOf(newFile())
    const driver = await driverOf({ database })
    const rows = database.prepare('SELECT value FROM json_each(?)').iterate('[1,2,3]')
    rows.next()
    const write = driver.write([session('a')], NOW)
    expect(write).toBeInstanceOf(Promise)
    rows.return!()
    expect(await write).toEqual(['a'])
  })

  it('says so when its owner closed it', async () => {
    const database = databaseOf(newFile())
    const driver = await driverOf({ database })
    database.close()
    expect(() => driver.read(['a'])).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }))
  })
})

describe('several processes on one file', () => {
  /** Runs `process.ts`; rejects when it fails. */
  function start(job: string, path: string, ...more: (string | number)[]) {
    const args = [job, path, ...more].map(String)
    const child = fork(join(import.meta.dirname, 'process.ts'), args, { execArgv: [], silent: true })
    after(() => child.kill('SIGKILL'))
    let complaint = ''
    child.stderr!.on('data', (text) => {
      complaint += text
    })
    const ended = once(child, 'close').then(([code, signal]) => {
      if (code !== 0 && !child.killed)
        throw new Error(`the process ended with ${code ?? signal}: ${complaint}`)
    })
    const message = () => Promise.race([once(child, 'message'), ended]).then((args) => args?.[0])
    return { child, ended, message }
  }

  it('write at once, and none is told that the database is busy', async () => {
    const path = newFile()
    const acknowledged: string[] = []
    const writers = ['a', 'b', 'c'].map((name) => start('write', path, name, 400))
    for (const { child } of writers) child.on('message', (keys: string[]) => acknowledged.push(...keys))
    await Promise.all(writers.map(({ ended }) => ended))
    expect(acknowledged).toHaveLength(3 * 40 * 55)
    expect(await keysIn(await driverOf({ path }))).toEqual([...acknowledged, 'shared'].sort())
  })

  it('make the table at once', async () => {
    const path = newFile()
    const racers = Array.from({ length: 10 }, (_, i) => start('race', path, `racer-${i}`))
    expect(await Promise.all(racers.map(({ message }) => message()))).toEqual(racers.map(() => 'ready'))
    const results = racers.map(({ message }) => message())
    for (const { child } of racers) child.send('go')
    expect(await Promise.all(results)).toEqual(racers.map((_, i) => [`racer-${i}-000000`]))
    await Promise.all(racers.map(({ ended }) => ended))
    expect(await (await driverOf({ path })).count(Date.now())).toBe(11)
  })

  it('lose no write that was acknowledged when one is killed', async () => {
    const path = newFile()
    const acknowledged: string[] = []
    const { child, ended } = start('write', path, 'a', 1_000_000)
    child.on('message', (keys: string[]) => {
      acknowledged.push(...keys)
      if (acknowledged.length > 5000) child.kill('SIGKILL')
    })
    await ended
    expect(child.signalCode).toBe('SIGKILL')
    const kept = new Set(await keysIn(await driverOf({ path })))
    expect(acknowledged.filter((key) => !kept.has(key))).toEqual([])
    expect(databaseOf(path).pragma('integrity_check', { simple: true })).toBe('ok')
  })
})

describe('a lock of somebody else', () => {
  it('is waited for while the process goes on', async () => {
    const path = newFile()
    const driver = await driverOf({ path })
    await driver.write([session('a')], NOW)
    const other = databaseOf(path)
    other.exec('BEGIN IMMEDIATE')
    const write = driver.write([session('b')], NOW)
    const touch = driver.touch([{ key: 'a', user: null, expiresAt: NOW + 2 * HOUR }], NOW)
    expect(write).toBeInstanceOf(Promise)
    expect(driver.read(['a'])).toMatchObject([{ key: 'a', expiresAt: NOW + HOUR }])
    other.exec('COMMIT')
    expect(await write).toEqual(['b'])
    await touch
    expect(driver.read(['a'])).toMatchObject([{ expiresAt: NOW + 2 * HOUR }])
  })

  it('is an error when it lasts for seconds', async () => {
    const path = newFile()
    const driver = await driverOf({ path })
    const other = databaseOf(path)
    other.exec('BEGIN IMMEDIATE')
    await expect(driver.write([session('a')], NOW)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    other.exec('COMMIT')
    expect(await driver.write([session('a')], NOW)).toEqual(['a'])
  })
})

describe('errors', () => {
  const failed = async (work: () => unknown) => {
    try {
      await work()
    } catch (error) {
      return error
    }
  }

  it('a missing folder is UNAVAILABLE, until it is there', async () => {
    const folder = join(newFolder(), 'data')
    const driver = sqliteDriver({ path: join(folder, 'sessions.db') })
    after(() => driver.close())
    const error = await failed(() => driver.setup())
    expect(error).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'the folder of the SQLite file does not exist',
    })
    mkdirSync(folder)
    await driver.setup()
    await driver.ping()
  })

  it('a file that cannot be opened is UNAVAILABLE', async () => {
    expect(await failed(() => driverOf({ path: newFolder() }))).toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('a file that is no database is BAD_STORAGE', async () => {
    const path = newFile()
    writeFileSync(path, 'no database, and longer than the header of one. '.repeat(100))
    expect(await failed(() => driverOf({ path }))).toMatchObject({ code: 'BAD_STORAGE' })
  })

  it("another store's table is BAD_STORAGE, and stays as it is", async () => {
    const path = newFile()
    const database = databaseOf(path)
    database.exec('CREATE TABLE sessions (sid TEXT PRIMARY KEY, sess JSON, expire TEXT)')
    expect(await failed(() => driverOf({ path }))).toMatchObject({ code: 'BAD_STORAGE' })
    await driverOf({ path, table: 'sessions2' })
    expect(
      database.prepare("SELECT group_concat(name) FROM pragma_table_info('sessions')").pluck().get(),
    ).toBe('sid,sess,expire')
  })

  it('a table that goes away is BAD_STORAGE', async () => {
    const database = databaseOf(newFile())
    const driver = await driverOf({ database })
    database.exec('DROP TABLE sessions')
    expect(await failed(() => driver.read(['a']))).toMatchObject({ code: 'BAD_STORAGE' })
    expect(await failed(() => driver.ping())).toMatchObject({ code: 'BAD_STORAGE' })
  })

  it('a read-only database is READ_ONLY, with its sessions to read', async () => {
    const path = newFile()
    const writer = await driverOf({ path })
    await writer.write([session('a')], NOW)
    const driver = await driverOf({ database: databaseOf(path, { readonly: true }) })
    expect(await driver.read(['a'])).toMatchObject([{ key: 'a' }])
    for (const writes of [[session('a')], [session('a'), session('b')]])
      expect(await failed(() => driver.write(writes, NOW))).toMatchObject({ code: 'READ_ONLY' })
  })

  it('a full database is STORAGE_FULL, and keeps what it has', async () => {
    const database = databaseOf(newFile())
    const driver = await driverOf({ database })
    await driver.write([session('a')], NOW)
    database.pragma('max_page_count = 20')
    const large = keysOf(20).map((key) => session(key, { data: 'x'.repeat(10_000) }))
    expect(await failed(() => driver.write(large, NOW))).toMatchObject({ code: 'STORAGE_FULL' })
    expect(await keysIn(driver)).toEqual(['a'])
    expect(await driver.write([session('b')], NOW)).toEqual(['b'])
  })

  it('a batch that fails half-way leaves nothing behind', async () => {
    const database = databaseOf(newFile())
    const driver = await driverOf({ database })
    database.exec(`CREATE TRIGGER no_b BEFORE INSERT ON sessions WHEN new.key = 'b'
      BEGIN SELECT raise(FAIL, 'no b'); END`)
    expect(await failed(() => driver.write([session('a'), session('b')], NOW))).toMatchObject({
      code: 'BAD_STORAGE',
    })
    expect(database.inTransaction).toBe(false)
    expect(await keysIn(driver)).toEqual([])
  })

  it('a call before setup or after close is CLOSED', async () => {
    const driver = sqliteDriver({ path: ':memory:' })
    expect(await failed(() => driver.ping())).toMatchObject({ code: 'CLOSED' })
    await driver.setup()
    await driver.close()
    await driver.close()
    expect(await failed(() => driver.ping())).toMatchObject({ code: 'CLOSED' })
  })
})

describe('100,000 sessions', () => {
  it('are counted, listed, pruned and cleared in steps', async () => {
    const path = newFile()
    const driver = await driverOf({ path })
    const warnings: Error[] = []
    const warned = (warning: Error) => warnings.push(warning)
    process.on('warning', warned)
    after(() => process.off('warning', warned))
    const keys = keysOf(100_000)
    await fill(driver, keys)
    expect(await keysIn(driver)).toEqual(keys)
    const count = driver.count(NOW) as Promise<number>
    expect(await turnsDuring(count)).toBeGreaterThan(40)
    expect(await count).toBe(100_000)
    expect(await driver.prune(NOW + 2 * HOUR, 256)).toBe(256)
    expect(await turnsDuring(driver.clear() as Promise<void>)).toBeGreaterThan(40)
    expect(await keysIn(driver)).toEqual([])
    await driver.close()
    expect(existsSync(`${path}-wal`), 'the log is in the database').toBe(false)
    expect(warnings, 'the thread of the checkpoints works').toEqual([])
  })

  it('that go are told to the thread that copies the log, or a commit would copy it in the end', async () => {
    const driver = await driverOf({ path: newFile() })
    const told = vi.spyOn(Worker.prototype, 'postMessage')
    after(() => told.mockRestore())
    const prune = async () => {
      while ((await driver.prune(NOW + 2 * HOUR, 256)) === 256);
    }
    for (const remove of [prune, () => driver.clear()]) {
      await fill(driver, keysOf(10_000))
      told.mockClear()
      await remove()
      expect(told.mock.calls.length).toBeGreaterThanOrEqual(4)
      expect(await keysIn(driver)).toEqual([])
    }
  })

  it('whose deadlines were moved on do not hide the expired ones from prune', async () => {
    const driver = await driverOf({ path: newFile() })
    const [moved, expired] = [keysOf(5000), keysOf(5020).slice(5000)]
    await fill(driver, moved)
    await fill(driver, expired, { expiresAt: NOW + HOUR + 1 })
    await driver.touch(
      moved.map((key) => ({ key, user: null, expiresAt: NOW + 5 * HOUR })),
      NOW,
    )
    expect(await driver.prune(NOW + 2 * HOUR, 10)).toBe(10)
    expect(await driver.prune(NOW + 2 * HOUR, 11)).toBe(10)
    expect(await keysIn(driver)).toEqual(moved)
    await driver.touch([{ key: moved[0]!, user: null, expiresAt: NOW + 3 * HOUR }], NOW)
    expect(await driver.prune(NOW + 4 * HOUR, 10)).toBe(1)
  })
})

it('every statement finds its rows by an index', async () => {
  const database = databaseOf(newFile())
  const statements: string[] = []
  const prepare = (sql: string) => {
    statements.push(sql)
    return database.prepare(sql)
  }
  const lent = { open: true, inTransaction: false, prepare, exec: (sql: string) => database.exec(sql) }
  const driver = await driverOf({ database: lent })
  await fill(driver, keysOf(1000), { user: 'somebody' })
  database.exec('ANALYZE')
  const plans = statements
    .filter((sql) => /sessions/.test(sql))
    .map((sql) => {
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql.replace(/@\w+|\?/g, "'1'")}`).all()
      return [sql, plan.map((step) => (step as { detail: string }).detail).join('; ')] as const
    })
  expect(plans.length).toBeGreaterThan(10)
  // These two take the first rows they meet, whichever they are.
  for (const [sql, plan] of plans.filter(([sql]) => !/FROM "sessions" LIMIT/.test(sql)))
    expect(plan, sql).not.toMatch(/SCAN "?sessions|TEMP B-TREE/)
  const planOf = (pattern: RegExp) => plans.find(([sql]) => pattern.test(sql))![1]
  expect(planOf(/user = \?/)).toMatch('sessions_by_user (user=? AND key>?)')
  expect(planOf(/DELETE.*purge_at/s)).toMatch('sessions_by_purge_at (purge_at<?)')
})
