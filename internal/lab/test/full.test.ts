import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionStore } from '@session-stores/core'
import {
  mongoProcess,
  mountDisk,
  type ProcessServer,
  postgresProcess,
  redisProcess,
} from '@session-stores/testbed'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { after, describeWith, requireDisk, smallDisk } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { expect, it, type TestContext } from 'vitest'
import { openStore } from '../src/store.ts'

const OPERATION_TIMEOUT = 3000
const cookie = { originalMaxAge: null, path: '/' }
/** A session that does not compress. */
const makeLarge = () => ({ cookie, text: randomBytes(64 * 1024).toString('hex') })
const small = { cookie, user: 'ann' }

interface Full {
  /** Makes room. The application is not restarted. */
  makeRoom(): Promise<void>
  /** Whether the database goes on running while it is full, and so reads and logouts work. */
  readonly reads: boolean
  readonly logouts: boolean
  /** The codes with which calls may fail. */
  readonly codes: RegExp
}

/** Fills the database through a store, and says what the store's users notice. */
async function fill(database: DatabaseId, place: string, { makeRoom, reads, logouts, codes }: Full) {
  const store = await openStore(database, place, {
    operationTimeout: OPERATION_TIMEOUT,
    pruneInterval: false,
    user: (found) => (found as unknown as { user: string }).user,
  })
  after(() => store.close())
  /** Returns the answer, or the code of the error, and checks that either comes in time. */
  const timed = async <T>(call: () => Promise<T>): Promise<T | { code: string }> => {
    const begin = performance.now()
    try {
      return await call()
    } catch (error) {
      const { code } = error as { code: string }
      expect(code).toMatch(codes)
      return { code }
    } finally {
      // The machine may be busy with other tests, which is not the store's delay.
      expect(performance.now() - begin).toBeLessThan(OPERATION_TIMEOUT + 2000)
    }
  }
  const hasFailed = (answer: unknown) => typeof answer === 'object' && answer !== null && 'code' in answer
  const kept: string[] = []
  const save = async (id: string, session: object) => {
    const answer = await timed(() => store.set(id, session as never))
    if (!hasFailed(answer)) kept.push(id)
    return answer
  }
  for (let i = 0; i < 10; i++) await save(`small-${i}`, small)
  let refused: unknown
  for (let i = 0; i < 4000 && !hasFailed(refused); i++) refused = await save(`large-${i}`, makeLarge())
  expect(refused).toMatchObject({ code: expect.stringMatching(codes) })
  expect(kept.length).toBeGreaterThan(20)
  for (let i = 0; i < 3; i++) await save(`more-${i}`, makeLarge())
  const read = await timed(() => store.get('small-0'))
  if (reads) expect(read).toMatchObject({ user: 'ann' })
  const ended: string[] = []
  const end = async (id: string, call: () => Promise<unknown>) => {
    const answer = await timed(call)
    kept.splice(kept.indexOf(id), 1)
    if (!hasFailed(answer)) ended.push(id)
    else if (logouts) expect(answer).toBe('a logout')
  }
  await end('small-1', () => store.destroy('small-1'))
  await end('small-2', () => store.revoke(store.handle('small-2')))
  for (const id of ended) expect(await store.get(id)).toBe(null)

  await makeRoom()
  await expect.poll(() => store.set('after', makeLarge() as never).then(() => 'works')).toBe('works')
  await checkKept(store, kept, ended)
  console.log(JSON.stringify({ database, refused, read: hasFailed(read) ? read : 'works', ended }))
  return { kept: kept.length, ended: ended.length, refused, read: hasFailed(read) ? read : 'works' }
}

async function checkKept(store: SessionStore, kept: readonly string[], ended: readonly string[]) {
  const lost: string[] = []
  for (const id of kept) if ((await store.get(id)) === null) lost.push(id)
  expect(lost).toEqual([])
  for (const id of ended) expect(await store.get(id)).toBe(null)
}

/** Starts a server again that ended itself because its disk was full. */
async function startAgain(server: ProcessServer): Promise<void> {
  await server.kill()
  await server.start()
}

const noEviction = ['--maxmemory', '30mb', '--maxmemory-policy', 'noeviction']
describeWith(
  'Redis whose memory is full',
  () => redisProcess({ args: noEviction }),
  (server) => {
    it('refuses saves, and goes on with lookups and logouts', async () => {
      const client = new Redis(server.url)
      after(() => client.disconnect())
      const found = await fill('redis', server.url, {
        makeRoom: async () => void (await client.config('SET', 'maxmemory', '200mb')),
        reads: true,
        logouts: true,
        codes: /^STORAGE_FULL$/,
      })
      expect(found).toMatchObject({ ended: 2 })
    })
  },
)

describeWith(
  'Redis whose log fills the disk',
  () => redisProcess({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] }),
  (server) => {
    it('refuses all writes, and goes on with lookups', async (context) => {
      const resize = await smallDisk(server, '20m', context)
      await fill('redis', server.url, {
        makeRoom: async () => resize('200m'),
        reads: true,
        logouts: false,
        codes: /^STORAGE_FULL$/,
      })
    })
  },
)

describeWith(
  'PostgreSQL whose log and tables fill the disk',
  () => postgresProcess({ args: ['-c', 'max_wal_size=1GB'] }),
  (server) => {
    it('loses nothing, and works again when it has room', async (context) => {
      const resize = await smallDisk(server, '140m', context)
      await fill('postgres', server.url, {
        async makeRoom() {
          resize('600m')
          // A server without room for its log ends itself.
          await startAgain(server)
        },
        reads: false,
        logouts: false,
        codes: /^(STORAGE_FULL|UNAVAILABLE)$/,
      })
    })
  },
)

describeWith(
  'MongoDB whose disk is full',
  () => mongoProcess({ args: ['--wiredTigerEngineConfigString', 'log=(file_max=1MB,prealloc=false)'] }),
  (server) => {
    it('loses nothing, and works again when it has room', async (context) => {
      const resize = await smallDisk(server, '24m', context)
      await fill('mongodb', server.url, {
        async makeRoom() {
          resize('300m')
          // A server without room for its journal ends itself.
          await startAgain(server)
        },
        reads: false,
        logouts: false,
        codes: /^(STORAGE_FULL|UNAVAILABLE)$/,
      })
    })
  },
)

it('SQLite whose disk is full refuses writes, and works again when it has room', async ({
  skip,
}: TestContext) => {
  requireDisk(skip)
  const folder = mkdtempSync(join(tmpdir(), 'lab-full-'))
  after(() => rmSync(folder, { recursive: true }))
  const small = join(folder, 'small')
  mkdirSync(small)
  const disk = mountDisk(small, '12m')
  after(() => disk.unmount())
  await fill('sqlite', join(small, 'sessions.db'), {
    makeRoom: async () => disk.resize('100m'),
    reads: true,
    logouts: false,
    codes: /^STORAGE_FULL$/,
  })
})
