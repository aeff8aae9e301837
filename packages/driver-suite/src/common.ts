import type { Driver, ListQuery } from '@session-stores/core'
import type { Deployment } from './deployment.ts'

/** What the rules about drivers and the rules about stores both need. */

export const MINUTE = 60_000
export const HOUR = 3_600_000
export const DAY = 86_400_000

/** The reason for the rules about values that must come back as they were saved. */
export const CHANGED = 'A session is read with other values than were saved, or not at all.'

/** Compares rows, writes or touches by their keys, for `sort`. */
export const byKey = (one: { key: string }, other: { key: string }): number => (one.key < other.key ? -1 : 1)

/** Returns the code of an error of the stores. */
export const getCode = (error: unknown): string => String((error as { code?: unknown }).code)

/** Yields the keys of each page of a list, until the last page. */
export async function* readPages(driver: Driver, query: Omit<ListQuery, 'after'>): AsyncGenerator<string[]> {
  let after: string | undefined
  do {
    const { keys, next } = await driver.list({ ...query, after })
    yield keys
    after = next
  } while (after !== undefined)
}

/** Returns the keys of all pages, each of them once. */
export async function readKeys(driver: Driver): Promise<string[]> {
  const keys = new Set<string>()
  for await (const page of readPages(driver, { limit: 100 })) for (const key of page) keys.add(key)
  return [...keys]
}

/** Calls `each` for all items, `size` of them at a time. */
export async function runInChunks<T>(
  all: readonly T[],
  size: number,
  each: (one: T) => Promise<unknown>,
): Promise<void> {
  for (let i = 0; i < all.length; i += size) await Promise.all(all.slice(i, i + size).map(each))
}

/** Closes both drivers, and then disposes of the deployment. */
export async function closeDeployment(deployment: Deployment): Promise<void> {
  for (const driver of deployment.drivers) await driver.close()
  await deployment.dispose?.()
}

/**
 * Runs `work` and then `cleanUp`, also when `work` fails. Then only the error of `work` is thrown,
 * because what is broken may fail to close as well.
 */
export async function runAndCleanUp(work: () => Promise<void>, cleanUp: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    await cleanUp().catch(() => {})
    throw error
  }
  await cleanUp()
}
