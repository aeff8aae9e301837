import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Store } from 'express-session'

/** Two hundred megabytes that nothing else here needs: so they are fetched when they are asked for. */
export const packages: Readonly<Record<string, string>> = {
  '@prisma/adapter-better-sqlite3': '7.10.0',
  '@prisma/client': '7.10.0',
  '@quixo3/prisma-session-store': '3.1.21',
  'express-session': '1.19.0',
  prisma: '7.10.0',
}

/** As the store's documentation has it. */
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

/** Prisma, its client for the schema, and the store. */
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
    // The only native part, the adapter's SQLite, is the one that this machine has for this project.
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: temporary })
    const ours = createRequire(import.meta.url).resolve('better-sqlite3/package.json')
    const theirs = join(temporary, 'node_modules/better-sqlite3')
    rmSync(theirs, { recursive: true, force: true })
    symlinkSync(join(ours, '..'), theirs)
    // It would fetch an engine that making a client does not use.
    const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath }
    const cli = join(temporary, 'node_modules/prisma/build/index.js')
    await run(process.execPath, [cli, 'generate', '--schema', 'schema.prisma'], { cwd: temporary, env })
    renameSync(temporary, folder)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}
