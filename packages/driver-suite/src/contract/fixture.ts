import assert from 'node:assert/strict'
import type { Driver, Row, Write } from '@session-stores/core'
import { byKey, HOUR } from '../common.ts'
import type { Deployment } from '../deployment.ts'
import type { Rule } from '../runner.ts'

/** What a rule works with: two drivers that are set up, and a time to start from. */
export interface Fixture {
  a: Driver
  b: Driver
  /**
   * The time of the machine when the rule began. A database may also remove expired rows by its own
   * clock. So rules move `now` ahead by hours, and a future deadline is at least an hour away. Rows
   * that must have expired by every clock are written at a time that is many days ago.
   */
  now: number
  /** Makes one more empty database of the same kind, whose drivers are not set up yet. */
  another(): Promise<Deployment>
}

export type DriverRule = Rule<Fixture>

/** The key of the row in rules about one row. */
export const KEY = 'the-key'

let tags = 0
/** Makes a tag that no other write has. */
export const makeTag = (): string => `tag-${++tags}`
/** Returns a text in the shape of a user's hash. */
export const hashUser = (name: string): string => name.padEnd(43, '-')
/** Makes `count` keys, in sorted order. */
export const makeKeys = (count: number, prefix = 'key'): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}-${String(i).padStart(6, '0')}`)

/** Makes a create of a session that lives for an hour; `more` overrides any field. */
export function makeSession(key: string, now: number, more: Partial<Write> = {}): Write {
  const tag = makeTag()
  const data = `{"cookie":{},"saved":"${tag}"}`
  return { key, data, tag, user: null, createdAt: now, expiresAt: now + HOUR, expect: '', ...more }
}

/** Makes a tombstone that always lands and lives for an hour; `more` overrides any field. */
export const makeTombstone = (key: string, now: number, more: Partial<Write> = {}): Write =>
  makeSession(key, now, { data: null, expect: undefined, ...more })

/**
 * Writes rows over any that exist: a create whose key has a live row becomes an update of that row.
 */
export async function put(driver: Driver, now: number, ...writes: Write[]): Promise<void> {
  const created = writes.filter(({ expect }) => expect === '').map(({ key }) => key)
  const there = created.length > 0 ? await readLive(driver, now, ...created) : []
  const current = new Map(there.map(({ key, tag }) => [key, tag]))
  const placed = writes.map((write) =>
    write.expect === '' && current.has(write.key) ? { ...write, expect: current.get(write.key) } : write,
  )
  await landAll(driver, now, ...placed)
}

/** Makes these writes unchanged, and checks that all of them land. */
export async function landAll(driver: Driver, now: number, ...writes: Write[]): Promise<void> {
  const landed = await write(driver, now, ...writes)
  assert.deepEqual(landed, writes.map(({ key }) => key).sort(), 'every write lands')
}

/** Makes these writes in one call, and returns the keys that landed, sorted. */
export async function write(driver: Driver, now: number, ...writes: Write[]): Promise<string[]> {
  return [...(await driver.write(writes.toSorted(byKey), now))].sort()
}

/** Returns the existing rows, live or expired, sorted by key. */
export async function read(driver: Driver, ...keys: string[]): Promise<Row[]> {
  const rows = await driver.read(keys.toSorted())
  return rows.map(toRow).sort(byKey)
}

/**
 * Returns the live rows with their tombstones, sorted by key. Drivers may differ only in expired
 * rows.
 */
export async function readLive(driver: Driver, now: number, ...keys: string[]): Promise<Row[]> {
  return (await read(driver, ...keys)).filter((row) => row.expiresAt > now)
}

/** Returns the fields of a row, without those that a write or a database adds. */
export function toRow({ key, data, tag, user, createdAt, expiresAt }: Row): Row {
  return { key, data, tag, user, createdAt, expiresAt }
}
