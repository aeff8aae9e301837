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

function toDocument({ key, data, tag, user, createdAt, expiresAt }: Write): Document {
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

// To the server both sides are constants, so it compares them once a statement, whatever the statement finds.
const isInTime = (latest: Date) => ({ $lt: ['$$NOW', latest] })
const inTime = (latest: Date, decision: unknown) => ({ $cond: [isInTime(latest), decision, FAIL_LATE] })

// What is missing is less than any number: a tombstone is no live session, and no row stands against nobody.
const isLive = (now: number) => ({ $gt: ['$expiresAt', now] })
const isThere = (now: number) => ({ $gt: [{ $max: ['$expiresAt', '$goneUntil'] }, now] })
const hasTag = (tag: string) => ({ $eq: ['$tag', { $literal: tag }] })

/**
 * A statement that finds its document by the key alone, for which MongoDB needs no plan. `latest`: the time of the
 * server's clock from which on it does nothing; may be set until it is sent.
 */
const toStatement = (key: string, result: object): object => ({
  q: { _id: key },
  u: [{ $replaceWith: result }],
  upsert: true,
})

/**
 * The usual update: of a live session whose deadline is not later than the new one. It is short, because the server
 * reads one for each save. It refuses more than the contract says, so what it refuses goes on to `toUpsert`.
 */
export function toUpdate(write: Write, now: number, latest: Date): object {
  const { key, data, tag, user, expiresAt, extend } = write
  const lands: object[] = [isInTime(latest), isLive(now), hasTag(write.expect!)]
  if (extend) lands.push({ $lte: ['$expiresAt', expiresAt] })
  const row =
    data === null
      ? { $literal: toDocument(write) }
      : {
          $mergeObjects: [
            '$$ROOT',
            { $literal: { tag, user, data: pack(data), expiresAt, purgeAt: purgeAt(expiresAt) } },
          ],
        }
  return toStatement(key, { $cond: [{ $and: lands }, row, REFUSE] })
}

/** Any write, whatever it finds. */
export function toUpsert(write: Write, now: number, latest: Date): object {
  const { data, expect, tag, extend } = write
  const document = toDocument(write)
  const whole = { $literal: document }
  // Its own tag means that it was sent twice.
  if (expect === undefined) {
    const wasSent = { $and: [hasTag(tag), isThere(now)] }
    return toStatement(write.key, inTime(latest, { $cond: [wasSent, '$$ROOT', whole] }))
  }
  const unlessSentTwice = { $cond: [hasTag(tag), '$$ROOT', REFUSE] }
  if (expect === '')
    return toStatement(write.key, inTime(latest, { $cond: [isThere(now), unlessSentTwice, whole] }))
  const kept = { createdAt: { $cond: [isLive(now), '$createdAt', document.createdAt] } }
  const session = { $mergeObjects: [whole, kept, ...(extend ? [extension(document)] : [])] }
  const landed = { $cond: [hasTag(expect), data === null ? whole : session, unlessSentTwice] }
  const decision = { $cond: [isThere(now), expect === tag ? unlessSentTwice : landed, REFUSE] }
  return toStatement(write.key, inTime(latest, decision))
}

/** A tombstone has no `expiresAt`; and a document may well be removed later than its deadline asks. */
const extension = ({ expiresAt, purgeAt }: Pick<Document, 'expiresAt' | 'purgeAt'>) => ({
  expiresAt: { $max: ['$expiresAt', expiresAt] },
  purgeAt: { $max: ['$purgeAt', purgeAt] },
})

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
