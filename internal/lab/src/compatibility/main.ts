/**
 * Checks that the packed packages work with the oldest and the newest supported versions of
 * clients, express-session, Express and compilers. Prints a line for each combination, and writes the
 * table of docs/generated/compatibility.md if all work. Exits with 1 if one fails.
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
import { type Combination, writeTable } from './table.ts'
import { checkTypes, listVersions, typeChecks } from './types.ts'
import { spanOf } from './versions.ts'

/** The packages do not depend on Express, but applications do. */
const EXPRESS = '>=4 <6'

/** The packages that put sessions into a framework of the same name. */
const FRAMEWORKS = ['express', 'koa', 'fastify'] as const

/** Further clients that a store takes. */
const OTHER_CLIENTS: Partial<Record<DatabaseId, string>> = { redis: 'redis' }

const SERVERS = { redis: redisServer, postgres: postgresServer, mongodb: mongoServer }

/** What has worked, for the table. */
const combinations: Combination[] = []

const temporary = mkdtempSync(join(tmpdir(), 'compatibility-'))
try {
  const packed = await pack(['core', 'token', 'legacy', ...databaseIds, ...FRAMEWORKS], temporary)
  await Promise.all([checkPrograms(packed), checkCompilers(packed)])
  if (process.exitCode === undefined) writeTable(combinations)
} finally {
  rmSync(temporary, { recursive: true })
}

async function checkPrograms(packed: Record<string, string>): Promise<void> {
  for (const database of databaseIds) await checkDatabase(database, packed)
  for (const framework of FRAMEWORKS) await checkFramework(framework, packed)
}

async function checkCompilers(packed: Record<string, string>): Promise<void> {
  const names = ['core', 'token', 'legacy', 'express', ...databaseIds].map(
    (name) => `@session-stores/${name}`,
  )
  for (const check of await typeChecks(choose(packed, names))) {
    await report({ title: check.title, versions: listVersions(check) }, () => checkTypes(temporary, check))
  }
}

async function checkDatabase(database: DatabaseId, packed: Record<string, string>): Promise<void> {
  const peers = readPeers(database)
  const clients = [databases[database].client, OTHER_CLIENTS[database] ?? []].flat()
  const ranges = { ...choose(peers, [...clients, 'express-session']), express: EXPRESS }
  await using server = database === 'sqlite' ? undefined : await SERVERS[database]()
  await checkEnds({ title: database, server: server?.version }, ranges, async (folder, versions) => {
    const tarballs = choose(packed, ['@session-stores/core', databases[database].package])
    await install(folder, { ...tarballs, ...versions })
    await runProgram(folder, 'program.ts', database, server?.url ?? join(folder, 'sessions.db'))
  })
}

async function checkFramework(
  framework: (typeof FRAMEWORKS)[number],
  packed: Record<string, string>,
): Promise<void> {
  const ranges = choose(readPeers(framework), [framework, 'express-session'])
  const { client } = databases.sqlite
  const { newest } = await spanOf(client, readPeers('sqlite')[client]!)
  // The packages for Koa and Fastify share the code of the one for Express.
  const ours = ['core', 'token', 'sqlite', 'express', framework].map((name) => `@session-stores/${name}`)
  await checkEnds({ title: framework }, ranges, async (folder, versions) => {
    await install(folder, { ...choose(packed, ours), [client]: newest, ...versions })
    await runProgram(folder, 'framework-program.ts', framework)
  })
}

/** Makes the check with the lowest versions in the ranges, and with the newest. */
async function checkEnds(
  { title, server }: Pick<Combination, 'title' | 'server'>,
  ranges: Record<string, string>,
  check: (folder: string, versions: Record<string, string>) => Promise<void>,
): Promise<void> {
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
  for (const end of ['lowest', 'newest'] as const) {
    const versions = Object.fromEntries(spans.map((span) => [span.name, span[end]]))
    const listed = Object.entries(versions).map((entry) => entry.join(' '))
    await report({ title, end, versions: listed.join(', '), server }, () =>
      check(join(temporary, `${title}-${end}`), versions),
    )
  }
}

/** Copies a program of this folder, and the visit that it makes, into another one, and runs it there. */
async function runProgram(folder: string, program: string, ...args: string[]): Promise<void> {
  for (const file of [program, 'visit.ts']) cpSync(join(import.meta.dirname, file), join(folder, file))
  await run(folder, process.execPath, [program, ...args])
}

/** Prints the result of a combination and its duration. A failure includes the complete output. */
async function report(combination: Combination, check: () => Promise<void>): Promise<void> {
  const { title, end, versions } = combination
  const name = `${[title, end ?? []].flat().join(', ')}: ${versions}`
  const start = performance.now()
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`
  try {
    await check()
    combinations.push(combination)
    console.log(`${name}: works, ${seconds()}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`${name}: FAILS, ${seconds()}\n${(error as Error).message}`)
  }
}

/** Returns the entries with these names. */
function choose(all: Record<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, all[name]!]))
}
