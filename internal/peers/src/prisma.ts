import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Store } from 'express-session'

/** Packages of 200 MB that only one store needs, so they are installed on demand. */
export const packages: Readonly<Record<string, string>> = {
  '@prisma/adapter-better-sqlite3': '7.10.0',
  '@prisma/client': '7.10.0',
  '@quixo3/prisma-session-store': '3.1.21',
  'express-session': '1.19.0',
  prisma: '7.10.0',
}

/** The schema from the store's documentation. */
const schema = `
generator client {
  provider = "prisma-client-js"
  output   = "./generated"
}
datasource db {
  provider = "sqlite"
}
model Session {
  id        String   @id
  sid       String   @unique
  data      String
  expiresAt DateTime
}`

interface PrismaClient {
  $executeRawUnsafe(sql: string): Promise<unknown>
  $disconnect(): Promise<void>
  session: {
    updateMany(change: { where: object; data: object }): Promise<unknown>
    count(): Promise<number>
  }
}

interface Prisma {
  PrismaClient: new (options: { adapter: unknown }) => PrismaClient
  PrismaBetterSqlite3: new (options: { url: string }) => unknown
  PrismaSessionStore: new (client: PrismaClient, options: object) => Store & { shutdown(): Promise<void> }
}

const run = promisify(execFile)

/** Returns Prisma, its client for the schema, and the store. Installs them at the first call. */
export async function prisma(): Promise<Prisma> {
  const folder = join(import.meta.dirname, '../.prisma')
  if (!existsSync(folder)) await install(folder)
  const require = createRequire(join(folder, 'package.json'))
  return {
    ...require('@prisma/adapter-better-sqlite3'),
    ...require('@quixo3/prisma-session-store'),
    ...require('./generated'),
  }
}

async function install(folder: string): Promise<void> {
  process.stderr.write('peers: fetching Prisma, once\n')
  const temporary = `${folder}-${process.pid}`
  try {
    mkdirSync(temporary)
    const manifest = { private: true, dependencies: packages }
    writeFileSync(join(temporary, 'package.json'), JSON.stringify(manifest))
    writeFileSync(join(temporary, 'schema.prisma'), schema)
    // The only native part is the adapter's SQLite, which is replaced by this project's build.
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: temporary })
    const ours = createRequire(import.meta.url).resolve('better-sqlite3/package.json')
    const theirs = join(temporary, 'node_modules/better-sqlite3')
    rmSync(theirs, { recursive: true, force: true })
    symlinkSync(join(ours, '..'), theirs)
    // Prisma would download an engine that generating a client does not need.
    const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath }
    const cli = join(temporary, 'node_modules/prisma/build/index.js')
    await run(process.execPath, [cli, 'generate', '--schema', 'schema.prisma'], { cwd: temporary, env })
    renameSync(temporary, folder)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}
