import type { Driver, ListQuery, Page, Row, Touch, Write } from './driver.ts'

/**
 * The reference driver: rows in this process's memory, for tests and as the model that the others are
 * checked against. Two stores on one `memoryDriver()` share their sessions, as two processes share a database.
 */
export function memoryDriver(): Driver {
  const rows = new Map<string, Row>()
  const isSession = (row: Row, now: number) => row.data !== null && row.expiresAt > now

  function lands(write: Write, row: Row | undefined, now: number): boolean {
    const { expect } = write
    if (write.data === null) return true
    const live = row !== undefined && row.expiresAt > now
    if (expect === undefined) return !live || row.data !== null
    if (expect === '') return !live || row.data === null || row.tag === write.tag
    return live && row.data !== null && (row.tag === expect || row.tag === write.tag)
  }

  return {
    name: 'memory',
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
        const { key, data, tag, user, expiresAt } = write
        const createdAt = row && data !== null && isSession(row, now) ? row.createdAt : write.createdAt
        rows.set(key, { key, data, tag, user, createdAt, expiresAt })
        landed.push(key)
      }
      return landed
    },
    touch(touches: readonly Touch[], now) {
      for (const { key, expiresAt } of touches) {
        const row = rows.get(key)
        if (row && isSession(row, now)) row.expiresAt = expiresAt
      }
    },
    list({ user, after = '', limit }: ListQuery): Page {
      const keys: string[] = []
      for (const row of rows.values())
        if (row.key > after && (user === undefined || row.user === user)) keys.push(row.key)
      keys.sort()
      if (keys.length <= limit) return { keys }
      keys.length = limit
      return { keys, next: keys[limit - 1] }
    },
    count(now) {
      let count = 0
      for (const row of rows.values()) if (isSession(row, now)) count++
      return count
    },
    prune(before, limit) {
      let removed = 0
      for (const row of rows.values()) {
        if (removed === limit) break
        if (row.expiresAt < before && rows.delete(row.key)) removed++
      }
      return removed
    },
    clear() {
      rows.clear()
    },
    ping() {},
    close() {},
  }
}
