import { setTimeout as sleep } from 'node:timers/promises'
import type session from 'express-session'
import { openSubject } from '../subjects/open.ts'
import { pass, report } from './parent.ts'
import type { ExpiryJob } from './protocol.ts'
import { checkSession, idOf, sessionOf } from './sessions.ts'

/**
 * Milliseconds: the shortest life, the spread of the deadlines, the interval of the lookups, and
 * when they start before the deadline.
 */
const LIFE = 1200
const SPREAD = 1000
const EVERY = 4
const BEFORE = 1050
/** A session that can still be read this long after its deadline is given up, in milliseconds. */
const LONGEST = 10_000

/** Measures how long sessions can be read. Their deadlines are spread over a second. */
export async function runExpiry({ subject, place, sessions }: ExpiryJob): Promise<void> {
  const { store } = await openSubject(subject, place)
  await pass()
  const ends = await Promise.all(
    Array.from({ length: sessions }, (_, index) => endOf(store, index, LIFE + (index * SPREAD) / sessions)),
  )
  report({
    kind: 'expiry',
    late: ends.map((end) => Math.max(0, end.lastRead)),
    early: ends.filter((end) => end.gone < 0).map((end) => -end.gone),
  })
}

/**
 * Returns two times relative to the deadline: when the last successful lookup started, and when the
 * session was found to be gone.
 */
async function endOf(
  store: session.Store,
  index: number,
  life: number,
): Promise<{ lastRead: number; gone: number }> {
  const id = idOf(`expiry ${index}`)
  const data = sessionOf(store, id, 0, Math.round(life))
  const deadline = new Date(data.cookie.expires!).getTime()
  await new Promise<void>((resolve, reject) => {
    store.set(id, data, (error) => (error ? reject(error) : resolve()))
  })
  await sleep(deadline - BEFORE - Date.now())
  for (let lastRead = Number.NEGATIVE_INFINITY; ; await sleep(EVERY)) {
    const asked = Date.now() - deadline
    const there = await isThere(store, id)
    if (!there) return { lastRead, gone: Date.now() - deadline }
    lastRead = asked
    if (asked > LONGEST) return { lastRead, gone: Number.POSITIVE_INFINITY }
  }
}

function isThere(store: session.Store, id: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    store.get(id, (error, data) => {
      // express-session treats this error as a missing session.
      if (error && error.code !== 'ENOENT') return reject(error)
      const wrong = data ? checkSession(id, data) : undefined
      if (wrong) return reject(wrong)
      resolve(Boolean(data))
    })
  })
}
