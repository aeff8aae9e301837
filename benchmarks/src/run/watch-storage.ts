import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { Reclaim } from '../results/results.ts'
import type { BenchServer } from '../servers/server.ts'
import type { Place } from '../subjects/subject.ts'

/**
 * The interval of the checks soon after the deadline, and later beside measurements. In
 * milliseconds.
 */
const EVERY = { soon: 250, later: 15_000 }
/** How many milliseconds after the deadline count as soon. */
export const SOON = 4000

/**
 * Watches a place until its sessions are gone, or for `watched` milliseconds after the deadline.
 * Rejects if `signal` is aborted.
 */
export async function watchStorage(
  place: Place,
  server: BenchServer | undefined,
  { deadline, sessions, watched }: { deadline: number; sessions: number; watched: number },
  signal: AbortSignal,
): Promise<Omit<Reclaim, 'subject'>> {
  const result: Omit<Reclaim, 'subject'> = { sessions, half: null, all: null, watched }
  while (result.all === null && Date.now() < deadline + watched) {
    const since = Date.now() - deadline
    const left = await storedIn(place, server)
    if (left <= sessions / 2) result.half ??= Math.max(0, since)
    if (left === 0) result.all = Math.max(0, since)
    else await sleep(since < SOON ? EVERY.soon : EVERY.later, undefined, { signal })
  }
  return result
}

/** Returns the number of stored sessions, including expired ones. */
async function storedIn({ folder, urls }: Place, server: BenchServer | undefined): Promise<number> {
  if (server) return server.stored(urls[0]!)
  const file = join(folder, 'sessions.db')
  return existsSync(file) ? rowsIn(file) : readdirSync(join(folder, 'sessions')).length
}

function rowsIn(file: string): number {
  const database = new Database(file, { readonly: true })
  try {
    const tables = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .pluck()
      .all()
    return tables.reduce<number>(
      (sum, name) => sum + (database.prepare(`SELECT count(*) FROM "${name}"`).pluck().get() as number),
      0,
    )
  } finally {
    database.close()
  }
}
