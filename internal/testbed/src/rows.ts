import type { Driver, Write } from '@session-stores/core'

/** One hour in milliseconds. */
export const HOUR = 3_600_000

/**
 * Returns a function that makes writes of sessions. Unless overridden, each session was created at
 * `now` and expires an hour later.
 */
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

/** Returns `count` keys in ascending order. */
export const keysOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `key-${String(i).padStart(6, '0')}`)

/** The number of sessions that `fillCrowd` writes. */
export const CROWD = 100_000
/**
 * The user of every fifth session of the crowd. Drivers receive the hash of a user in this form.
 */
export const ADA: string = 'a'.repeat(43)
const BATCH = 1000

/**
 * Writes 100,000 sessions. Half of them expired a day before `now`, and every fifth one is Ada's.
 */
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

/** Returns the keys of all pages of a list in their order: of all sessions, or of one user's. */
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
