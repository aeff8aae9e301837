import type { Driver, Write } from '@session-stores/core'
import { MongoClient, type MongoClientOptions } from 'mongodb'
import { afterEach } from 'vitest'
import { type MongoOptions, mongoDriver } from '../src/index.ts'

const undo: (() => unknown)[] = []

/** Done after the test, the latest first. */
export function after(step: () => unknown): void {
  undo.push(step)
}

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

let made = 0
/** Of a database or a collection. */
export const newName = (): string => `test-${++made}`

export function clientOf(url: string, options?: MongoClientOptions): MongoClient {
  const client = new MongoClient(url, options)
  after(() => client.close())
  return client
}

/** Set up, and closed after the test. */
export async function driverOf(options: MongoOptions): Promise<Driver> {
  const driver = mongoDriver(options)
  after(() => driver.close())
  await driver.setup()
  return driver
}

export const NOW: number = Date.now()
export const HOUR = 3_600_000

/** An upsert of a session that lives for an hour, unless told otherwise. */
export const session = (key: string, more: Partial<Write> = {}): Write => ({
  key,
  data: '{}',
  tag: 'tag',
  user: null,
  createdAt: NOW,
  expiresAt: NOW + HOUR,
  ...more,
})

export const keysOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `key-${String(i).padStart(6, '0')}`)
