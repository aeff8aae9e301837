import type { SessionStore } from '@session-stores/core'
import type { MigrationReport } from '../../src/index.ts'
import { makeSession, type Old, openNew, openOld, type Place, saveOld, takeOver } from './places.ts'
import { migrateInProcess } from './process.ts'

/** How many calls are made at the same time. */
const TOGETHER = 200
const DAY = 86_400_000
/** How many users there are. */
const USERS = 50

/** What a move of many sessions came to. */
export interface BulkOutcome {
  sessions: number
  /** Sessions that are missing, or hold something else, or are not listed with their user. */
  lost: number
  /** The most by which a deadline differs from that of the old session, in milliseconds. */
  drift: number
  /** Milliseconds for each session. */
  perSession: number
}

/** Calls `each` for the numbers below `count`, many of them at the same time. */
async function forEach(count: number, each: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < count) await each(next++)
  }
  await Promise.all(Array.from({ length: TOGETHER }, work))
}

const idOf = (number: number): string => `id-${number}`
const userOf = (number: number): string => `user-${number % USERS}`

/** Saves sessions with the old package. Returns their deadlines, by their numbers. */
async function fill(old: Old, count: number): Promise<number[]> {
  const ends: number[] = []
  await forEach(count, async (number) => {
    const session = makeSession(DAY, { user: userOf(number), more: { number, text: 'ä'.repeat(100) } })
    await saveOld(old, idOf(number), session)
    ends[number] = (await old.endOf?.(idOf(number))) ?? Number(session.cookie.expires)
  })
  return ends
}

/** Looks for every session in the list of its user. */
async function check(store: SessionStore, ends: readonly number[]): Promise<{ lost: number; drift: number }> {
  const found = new Map<string, { expiresAt: number; user: unknown; more: unknown }>()
  for (let user = 0; user < USERS; user++) {
    let after: string | undefined
    do {
      const page = await store.list({ user: `user-${user}`, limit: 2000, after })
      for (const { handle, expiresAt, session } of page.sessions)
        found.set(handle, { expiresAt, user: session.user, more: session.more })
      after = page.next
    } while (after !== undefined)
  }
  let [lost, drift] = [0, 0]
  for (const [number, end] of ends.entries()) {
    const session = found.get(store.handle(idOf(number)))
    const isRight =
      session?.user === userOf(number) && (session.more as { number?: number }).number === number
    if (!isRight) lost++
    else drift = Math.max(drift, Math.abs(session.expiresAt - end))
  }
  return { lost, drift }
}

/** Moves each session in at its first request. */
export async function moveLazily(place: Place, count: number): Promise<BulkOutcome> {
  const old = await openOld(place)
  const store = await openNew(place, { operationTimeout: 30_000, ...takeOver(old) })
  try {
    const ends = await fill(old, count)
    const begun = performance.now()
    let missed = 0
    await forEach(count, async (number) => {
      if ((await store.get(idOf(number))) === null) missed++
    })
    const perSession = (performance.now() - begun) / count
    const { lost, drift } = await check(store, ends)
    const left = await old.reader.count()
    return { sessions: count, lost: Math.max(lost, missed, left), drift, perSession }
  } finally {
    await store.close()
    await old.close()
  }
}

/** Outcome of a migration by command. */
export interface CommandOutcome extends BulkOutcome {
  /** How often the command was killed before it came to its end. */
  kills: number
  /** The report of the run that came to its end, and of another one after it. */
  last: MigrationReport
  second: MigrationReport
}

/** Moves all sessions by a command that is killed `kills` times, and then once more. */
export async function moveByCommand(place: Place, count: number, kills: number): Promise<CommandOutcome> {
  const old = await openOld(place)
  const store = await openNew(place, { operationTimeout: 30_000 })
  try {
    const ends = await fill(old, count)
    const begun = performance.now()
    let killed = 0
    let last: MigrationReport | undefined
    while (last === undefined) {
      const after = killed < kills ? Math.ceil(count / (kills + 2)) : undefined
      last = await migrateInProcess(place, after)
      if (last === undefined) killed++
    }
    const perSession = (performance.now() - begun) / count
    const second = (await migrateInProcess(place))!
    const { lost, drift } = await check(store, ends)
    return { sessions: count, lost, drift, perSession, kills: killed, last, second }
  } finally {
    await store.close()
    await old.close()
  }
}
