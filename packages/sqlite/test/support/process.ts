/**
 * A process beside the test's: `node process.ts <job> <path> <name> [batches]`. It tells its parent what it did
 * and ends by itself, without closing anything: nothing in the driver may keep it alive.
 */
import { once } from 'node:events'
import type { Write } from '@session-stores/core'
import Database from 'better-sqlite3'
import { sqliteDriver } from '../../src/index.ts'

const [job, path, name, batches] = process.argv.slice(2) as [string, string, string, string]
const driver = sqliteDriver({ path })
const tell = (message: unknown) => new Promise((sent) => process.send!(message, sent))
const now = Date.now()
let tags = 0
const write = (key: string): Write => ({
  key,
  data: `{"by":"${name}"}`,
  tag: `${name}-${++tags}`,
  expect: '',
  user: null,
  createdAt: now,
  expiresAt: now + 3_600_000,
})

async function put(first: number, size: number): Promise<string[]> {
  const keys = Array.from({ length: size }, (_, i) => `${name}-${String(first + i).padStart(6, '0')}`)
  const landed = await driver.write([...keys, 'shared'].sort().map(write), now)
  await driver.touch([{ key: keys[0]!, user: null, expiresAt: now + 7_200_000 }], now)
  return landed.filter((key) => key !== 'shared')
}

if (job === 'hold') {
  const database = new Database(path)
  database.exec('BEGIN IMMEDIATE')
  const release = once(process, 'message')
  await tell('held')
  await release
  database.exec('COMMIT')
  process.disconnect()
  process.exit()
}
if (job === 'race') {
  const go = once(process, 'message')
  await tell('ready')
  await go
}
await driver.setup()
if (job === 'race') await tell(await put(0, 1))
// Batches of some sessions each, told once they are written.
else for (let i = 0; i < Number(batches); i++) await tell(await put(i * 10, 1 + (i % 10)))
process.disconnect()
