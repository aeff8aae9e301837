import type { Driver, Write } from '@session-stores/core'

/** Rows for the tests of a driver. */

/** In milliseconds. */
export const HOUR = 3_600_000

/** Makes upserts of sessions that began at `now` and live for an hour, unless told otherwise. */
export const sessionsAt =
  (now: number) =>
  (key: string, more: Partial<Write> = {}): Write => ({
    key,
    data: '{}',
    tag: 'tag',
    user: null,
    createdAt: now,
    expiresAt: now + HOUR,
    ...more,
  })

/** So many keys, in order. */
export const keysOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `key-${String(i).padStart(6, '0')}`)

/** How many sessions `fillCrowd` makes. */
export const CROWD = 100_000
/** Whose each fifth of them is: the hash of a user, as drivers are given it. */
export const ADA: string = 'a'.repeat(43)
const BATCH = 1000

/** 100,000 sessions, the half of which ended a day before `now`; each fifth is Ada's. */
export async function fillCrowd(driver: Driver, now: number): Promise<void> {
  const session = sessionsAt(now)
  for (let from = 0; from < CROWD; from += BATCH)
    await driver.write(
      Array.from({ length: BATCH }, (_, i) => {
        const key = `key-${String(from + i).padStart(39, '0')}`
        const expiresAt = now + ((from + i) % 2 ? 24 : -24) * HOUR
        return session(key, { expect: '', user: (from + i) % 5 ? null : ADA, expiresAt })
      }),
      now,
    )
}

/** The keys that the pages of a list name, as they come: of all sessions, or of one user's. */
export async function listed(driver: Driver, limit: number, user?: string): Promise<string[]> {
  const keys: string[] = []
  let after: string | undefined
  do {
    const page = await driver.list({ user, after, limit })
    keys.push(...page.keys)
    after = page.next
  } while (after !== undefined)
  return keys
}
