/**
 * A process that a test starts: `node process.ts <job> <path> <name> [batches]`. It sends messages
 * about its work to the test. It closes nothing and ends by itself, because nothing in the driver
 * may keep a process alive.
 */
import { once } from 'node:events'
import type { Write } from '@session-stores/core'
import Database from 'better-sqlite3'
import { sqliteDriver } from '../../src/index.ts'

const [job, path, name, batches] = process.argv.slice(2) as [string, string, string, string]
const driver = sqliteDriver({ path })
const send = (message: unknown) => new Promise((sent) => process.send!(message, sent))
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
  await send('held')
  await release
  database.exec('COMMIT')
  process.disconnect()
  process.exit()
}
if (job === 'race') {
  const go = once(process, 'message')
  await send('ready')
  await go
}
await driver.setup()
if (job === 'race') await send(await put(0, 1))
// Each batch has a few sessions, and is reported once it is written.
else for (let i = 0; i < Number(batches); i++) await send(await put(i * 10, 1 + (i % 10)))
process.disconnect()
