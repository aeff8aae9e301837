/**
 * Checks that the packed packages work with the oldest and the newest supported versions of
 * clients, express-session, Express and compilers. Prints a line for each combination. Exits with 1
 * if one fails.
 *
 *     npx -y pnpm@12 compatibility
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mongoServer, postgresServer, redisServer } from '@session-stores/testbed'
import { type DatabaseId, databaseIds, databases } from '@session-stores/testbed/databases'
import { install, pack, readPeers } from './packages.ts'
import { run } from './run.ts'
import { checkTypes, listVersions, typeChecks } from './types.ts'
import { spanOf } from './versions.ts'

/** The packages do not depend on Express, but applications do. */
const EXPRESS = '>=4 <6'

const SERVERS = { redis: redisServer, postgres: postgresServer, mongodb: mongoServer }

const temporary = mkdtempSync(join(tmpdir(), 'compatibility-'))
try {
  const packed = await pack(['core', ...databaseIds], temporary)
  await Promise.all([checkDatabases(packed), checkCompilers(packed)])
} finally {
  rmSync(temporary, { recursive: true })
}

async function checkDatabases(packed: Record<string, string>): Promise<void> {
  for (const database of databaseIds) await checkDatabase(database, packed)
}

async function checkCompilers(packed: Record<string, string>): Promise<void> {
  for (const check of await typeChecks(packed)) {
    await report(`${check.title}: ${listVersions(check)}`, () => checkTypes(temporary, check))
  }
}

async function checkDatabase(database: DatabaseId, packed: Record<string, string>): Promise<void> {
  const peers = readPeers(database)
  const client = databases[database].client
  // The Redis store also borrows clients of another library.
  const others = peers.redis === undefined ? {} : { redis: peers.redis }
  const ranges = {
    [client]: peers[client]!,
    ...others,
    'express-session': peers['express-session']!,
    express: EXPRESS,
  }
  const spans = await Promise.all(
    Object.entries(ranges).map(async ([name, range]) => ({ name, ...(await spanOf(name, range)) })),
  )
  for (const { name, unavailable, lowest } of spans) {
    if (unavailable !== undefined) {
      console.log(
        `${name} ${unavailable}: not tried, its binary is not in its package; ${lowest} is the lowest`,
      )
    }
  }
  await using server = database === 'sqlite' ? undefined : await SERVERS[database]()
  for (const end of ['lowest', 'newest'] as const) {
    const versions = Object.fromEntries(spans.map((span) => [span.name, span[end]]))
    const listed = Object.entries(versions).map((entry) => entry.join(' '))
    await report(`${database}, ${end}: ${listed.join(', ')}`, async () => {
      const folder = join(temporary, `${database}-${end}`)
      const ours = ['@session-stores/core', databases[database].package]
      const tarballs = Object.fromEntries(ours.map((name) => [name, packed[name]!]))
      await install(folder, { ...tarballs, ...versions })
      cpSync(join(import.meta.dirname, 'program.ts'), join(folder, 'program.ts'))
      const place = server?.url ?? join(folder, 'sessions.db')
      await run(folder, process.execPath, ['program.ts', database, place])
    })
  }
}

/** Prints the result of a combination and its duration. A failure includes the complete output. */
async function report(combination: string, check: () => Promise<void>): Promise<void> {
  const start = performance.now()
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`
  try {
    await check()
    console.log(`${combination}: works, ${seconds()}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`${combination}: FAILS, ${seconds()}\n${(error as Error).message}`)
  }
}
