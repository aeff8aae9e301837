import { setTimeout as sleep } from 'node:timers/promises'
import type session from 'express-session'
import { openSubject } from '../subjects/open.ts'
import { pass, report } from './parent.ts'
import type { ExpiryJob } from './protocol.ts'
import { checked, idOf, sessionOf } from './sessions.ts'

/** All in milliseconds: the shortest life; over how long the deadlines are spread; how often, and from when on, a session is asked for. */
const LIFE = 1200
const SPREAD = 1000
const EVERY = 4
const BEFORE = 1050
/** A session that can be read for this long after its deadline is given up on. */
const LONGEST = 10_000

/** Finds out how long sessions can be read: their deadlines fall on all parts of a second. */
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

/** From the deadline to when the last question was put that still got the session, and to the answer that it is gone. */
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
      // express-session takes this error for a session that is not there.
      if (error && error.code !== 'ENOENT') return reject(error)
      const wrong = data ? checked(id, data) : undefined
      if (wrong) return reject(wrong)
      resolve(Boolean(data))
    })
  })
}
