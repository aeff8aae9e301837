import type { Row, Touch, Write } from '@session-stores/core'

/**
 * A session has `data` and `expiresAt`, a tombstone has `goneUntil`: so one comparison tells who lives. Times
 * are numbers, in epoch milliseconds, but for the one by which MongoDB removes documents.
 */
export interface Document {
  _id: string
  tag: string
  user: string | null
  createdAt: number
  purgeAt: Date
  data?: string | Buffer
  expiresAt?: number
  goneUntil?: number
}

const HOUR = 3_600_000

/** An hour at least after the deadline, for the clocks of servers differ; coarse, so that few touches change an index. */
const purgeAt = (expiresAt: number): Date =>
  new Date(Math.min((Math.floor(expiresAt / HOUR) + 2) * HOUR, 8.64e15))

/** BSON's text is UTF-8, which has no lone surrogates. */
const pack = (data: string): string | Buffer => (data.isWellFormed() ? data : Buffer.from(data, 'utf16le'))

/** The size of a payload as MongoDB holds it, in bytes. */
export const sizeOf = (data: string | null): number => (data === null ? 0 : Buffer.byteLength(pack(data)))

export function toDocument({ key, data, tag, user, createdAt, expiresAt }: Write): Document {
  const document = { _id: key, tag, user, createdAt, purgeAt: purgeAt(expiresAt) }
  return data === null ? { ...document, goneUntil: expiresAt } : { ...document, data: pack(data), expiresAt }
}

/** Nothing for somebody else's document. */
export function toRow(document: Document): Row | undefined {
  const { _id: key, data, tag, user, createdAt, expiresAt, goneUntil } = document
  if (tag === undefined) return undefined
  if (goneUntil !== undefined) return { key, data: null, tag, user, createdAt, expiresAt: goneUntil }
  if (data === undefined || expiresAt === undefined) return undefined
  const text = Buffer.isBuffer(data) ? data.toString('utf16le') : data
  return { key, data: text, tag, user, createdAt, expiresAt }
}

/**
 * Statements decide by what they find, and where they may not land they fail: with one of these numbers, which tell
 * a refusal from a statement that came too late.
 */
export const REFUSED = 17_124
export const LATE = 28_765
// An id is no array, so it has no size, and no number, so it has no absolute value.
const REFUSE = { $size: '$_id' }
const FAIL_LATE = { $abs: '$_id' }

/** Evaluated once a command by a server that is in time, for both sides are constants to it. */
const inTime = (latest: Date, decision: unknown): object => ({
  $cond: [{ $lt: ['$$NOW', latest] }, decision, FAIL_LATE],
})

// What is missing is less than any number: a tombstone is no live session, and no row stands against nobody.
const isLive = (now: number) => ({ $gt: ['$expiresAt', now] })
const isStanding = (now: number) => ({ $gt: ['$goneUntil', now] })
const hasTag = (tag: string) => ({ $eq: ['$tag', { $literal: tag }] })

/**
 * A statement that finds its document by the key alone, for which MongoDB needs no plan, and decides by what it
 * finds. `latest`: the time of the server's clock from which on it fails; may be set until it is sent.
 */
export function toUpsert(write: Write, now: number, latest: Date): object {
  const { data, expect, tag } = write
  const document = toDocument(write)
  const isThere = { $or: [isLive(now), isStanding(now)] }
  // Its own tag means that it was sent twice.
  const unlessSentTwice = { $cond: [hasTag(tag), '$$ROOT', REFUSE] }
  let decision: object
  if (expect === undefined)
    decision = { $cond: [{ $and: [hasTag(tag), isThere] }, '$$ROOT', { $literal: document }] }
  else if (expect === '') decision = { $cond: [isThere, unlessSentTwice, { $literal: document }] }
  else {
    const landed = data === null ? { $literal: document } : replacement(write, document, now)
    const unlessOther =
      expect === tag ? unlessSentTwice : { $cond: [hasTag(expect), landed, unlessSentTwice] }
    decision = { $cond: [isThere, unlessOther, REFUSE] }
  }
  return { q: { _id: document._id }, u: [{ $replaceWith: inTime(latest, decision) }], upsert: true }
}

/** What an update makes of a live row: of a session that is replaced, some stays. */
function replacement({ expiresAt, extend }: Write, { createdAt, ...row }: Document, now: number): object {
  const kept = {
    createdAt: { $cond: [isLive(now), '$createdAt', createdAt] },
    // A tombstone has no `expiresAt`; its document may well be removed later than the deadline asks.
    ...(extend && {
      expiresAt: { $max: ['$expiresAt', expiresAt] },
      purgeAt: { $max: ['$purgeAt', row.purgeAt] },
    }),
  }
  return { $mergeObjects: [{ $literal: row }, kept] }
}

/** The statements of touches: one for those that share their new deadline. `latest` as in `toUpsert`. */
export function toTouches(touches: readonly Touch[], now: number, latest: Date): object[] {
  // Core rounds deadlines, so that most of a batch share one.
  const statements: object[] = []
  for (const [expiresAt, group] of Map.groupBy(touches, (touch) => touch.expiresAt)) {
    const tagged = group.filter(({ tag }) => tag !== undefined)
    const others = tagged.length === group.length ? [] : group.filter(({ tag }) => tag === undefined)
    for (const some of [tagged, others])
      if (some.length > 0) statements.push(toTouch(expiresAt, some, now, latest))
  }
  return statements
}

/** All have a tag, or none has. */
function toTouch(expiresAt: number, touches: readonly Touch[], now: number, latest: Date): object {
  const [{ key, tag }] = touches as [Touch]
  if (touches.length > 1) {
    const keys = touches.map((touch) => touch.key)
    // No two writes have the same tag, so none of these is another session's.
    const tags = tag === undefined ? undefined : touches.map((touch) => touch.tag)
    const q = {
      _id: { $in: keys },
      ...(tags && { tag: { $in: tags } }),
      expiresAt: { $gt: now },
      $expr: inTime(latest, true),
    }
    return { q, u: { $set: { expiresAt, purgeAt: purgeAt(expiresAt) } }, multi: true }
  }
  // By the key alone, again. Whatever it is, it may well be removed later than its deadline asks.
  const moves = tag === undefined ? isLive(now) : { $and: [isLive(now), hasTag(tag)] }
  const touched = {
    expiresAt: inTime(latest, { $cond: [moves, expiresAt, '$expiresAt'] }),
    purgeAt: { $max: ['$purgeAt', purgeAt(expiresAt)] },
  }
  return { q: { _id: key }, u: [{ $set: touched }] }
}

/** Removes the document of this key, unless it is somebody else's. `latest` as in `toUpsert`. */
export const toRemoval = (key: string, latest: Date): object => ({
  q: { _id: key, tag: { $gt: '' }, $expr: inTime(latest, true) },
  limit: 1,
})
