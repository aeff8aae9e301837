import { type Driver, type ListQuery, type Page, pageOf, type Row, type Touch, type Write } from './driver.ts'

/**
 * Returns the reference driver, which keeps rows in the memory of this process: for tests, and as
 * the model for other drivers. Two stores on one `memoryDriver()` share their sessions, as two
 * processes share a database.
 *
 * @example
 * const driver = memoryDriver()
 * const [one, other] = [new SessionStore(driver), new SessionStore(driver)]
 */
export function memoryDriver(): Driver {
  const rows = new Map<string, Row>()
  const isSession = (row: Row, now: number) => row.data !== null && row.expiresAt > now

  function lands({ data, expect, tag }: Write, row: Row | undefined, now: number): boolean {
    if (data === null && expect === undefined) return true
    const live = row !== undefined && row.expiresAt > now
    if (expect === '') return !live || row.tag === tag
    return live && (row.tag === expect || row.tag === tag)
  }

  return {
    name: 'memory',
    place: 'memory',
    setup() {},
    read(keys) {
      const found: Row[] = []
      for (const key of keys) {
        const row = rows.get(key)
        if (row !== undefined) found.push({ ...row })
      }
      return found
    },
    write(writes, now) {
      const landed: string[] = []
      for (const write of writes) {
        const row = rows.get(write.key)
        if (!lands(write, row, now)) continue
        landed.push(write.key)
        if (row?.tag === write.tag && row.expiresAt > now) continue
        const { key, data, tag, user } = write
        let { createdAt, expiresAt } = write
        if (row && data !== null && isSession(row, now)) {
          createdAt = row.createdAt
          if (write.extend) expiresAt = Math.max(row.expiresAt, expiresAt)
        }
        rows.set(key, { key, data, tag, user, createdAt, expiresAt })
      }
      return landed
    },
    touch(touches: readonly Touch[], now) {
      for (const { key, tag, expiresAt } of touches) {
        const row = rows.get(key)
        if (row && isSession(row, now) && (tag ?? row.tag) === row.tag) row.expiresAt = expiresAt
      }
    },
    list({ user, after = '', limit }: ListQuery): Page {
      const keys: string[] = []
      for (const row of rows.values())
        if (row.key > after && (user === undefined || row.user === user)) keys.push(row.key)
      return pageOf(keys.sort(), limit)
    },
    count(now) {
      let count = 0
      for (const row of rows.values()) if (isSession(row, now)) count++
      return count
    },
    prune(before, limit) {
      const over = Math.min(before, Date.now())
      let removed = 0
      for (const row of rows.values()) {
        if (removed === limit) break
        if (row.expiresAt < over && rows.delete(row.key)) removed++
      }
      return removed
    },
    clear(signal) {
      if (!signal?.aborted) rows.clear()
    },
    ping: () => Date.now(),
    close() {},
  }
}
