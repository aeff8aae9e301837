import assert from 'node:assert/strict'
import type { Driver, Row, Write } from '@session-stores/core'
import type { Deployment } from '../deployment.ts'
import type { Rule } from '../runner.ts'

/** What a rule works with: the two drivers, set up, and a time to start from. */
export interface Fixture {
  a: Driver
  b: Driver
  /**
   * The time of the machine when the rule began. A database may also remove rows by its own clock, once
   * they expired: so rules move `now` ahead by hours, and a deadline to come is an hour or more away. Rows that are
   * over for good are written at a time that is many days ago.
   */
  now: number
  /** One more empty database of the same kind, not set up yet. */
  another(): Promise<Deployment>
}

export type DriverRule = Rule<Fixture>

export const MINUTE = 60_000
export const HOUR = 3_600_000
export const DAY = 86_400_000

let made = 0
/** A tag that no other write has. */
export const newTag = (): string => `tag-${++made}`
/** In the shape of a user's hash. */
export const user = (name: string): string => name.padEnd(43, '-')
/** `count` keys in sorted order. */
export const manyKeys = (count: number, prefix = 'key'): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}-${String(i).padStart(6, '0')}`)

/** A create of a session that lives for an hour, unless told otherwise. */
export function session(key: string, now: number, more: Partial<Write> = {}): Write {
  const tag = newTag()
  const data = `{"cookie":{},"saved":"${tag}"}`
  return { key, data, tag, user: null, createdAt: now, expiresAt: now + HOUR, expect: '', ...more }
}

/** A tombstone that always lands and stands for an hour, unless told otherwise. */
export const tombstone = (key: string, now: number, more: Partial<Write> = {}): Write =>
  session(key, now, { data: null, expect: undefined, ...more })

const byKey = (one: { key: string }, other: { key: string }): number => (one.key < other.key ? -1 : 1)

/** Puts rows there, whatever stands there: a create over a live row becomes an update of it. */
export async function put(driver: Driver, now: number, ...writes: Write[]): Promise<void> {
  const created = writes.filter(({ expect }) => expect === '').map(({ key }) => key)
  const there = created.length > 0 ? await live(driver, now, ...created) : []
  const tags = new Map(there.map(({ key, tag }) => [key, tag]))
  const placed = writes.map((write) =>
    write.expect === '' && tags.has(write.key) ? { ...write, expect: tags.get(write.key) } : write,
  )
  await landAll(driver, now, ...placed)
}

/** Writes just as it is asked to; every write must land. */
export async function landAll(driver: Driver, now: number, ...writes: Write[]): Promise<void> {
  const landed = await write(driver, now, ...writes)
  assert.deepEqual(landed, writes.map(({ key }) => key).sort(), 'every write lands')
}

/** The keys that landed, sorted. */
export async function write(driver: Driver, now: number, ...writes: Write[]): Promise<string[]> {
  return [...(await driver.write(writes.toSorted(byKey), now))].sort()
}

/** The rows that are there, live or not, sorted by key. */
export async function read(driver: Driver, ...keys: string[]): Promise<Row[]> {
  const rows = await driver.read(keys.toSorted())
  return rows.map(rowOf).sort(byKey)
}

/** The live rows, tombstones too, sorted by key: what a driver may not differ in. */
export async function live(driver: Driver, now: number, ...keys: string[]): Promise<Row[]> {
  return (await read(driver, ...keys)).filter((row) => row.expiresAt > now)
}

/** The row alone, without what a write has besides and a database may add. */
export function rowOf({ key, data, tag, user, createdAt, expiresAt }: Row): Row {
  return { key, data, tag, user, createdAt, expiresAt }
}
