import type { Touch, Write } from '@session-stores/core'
import { type Document, pack, toDocument, toPurgeTime } from './row.ts'

/**
 * A statement decides by the document that it finds, and fails where it may not take effect. The
 * number of the error says whether it was refused, came too late, or lost a race of two inserts.
 */
export const REFUSED = 17_124
export const LATE = 28_765
export const DUPLICATE_KEY = 11_000

// An id is a text, which has neither the size of an array nor the absolute value of a number.
const REFUSE = { $size: '$_id' }
const FAIL_LATE = { $abs: '$_id' }

// Both sides are constants to the server, so it compares them once, whatever the statement finds.
const isInTime = (latest: Date) => ({ $lt: ['$$NOW', latest] })
const ifInTime = (latest: Date, decision: unknown) => ({ $cond: [isInTime(latest), decision, FAIL_LATE] })

// A missing field is less than any number, so a tombstone is not live, and a missing row not there.
const isLive = (now: number) => ({ $gt: ['$expiresAt', now] })
const isThere = (now: number) => ({ $gt: [{ $max: ['$expiresAt', '$goneUntil'] }, now] })
const hasTag = (tag: string) => ({ $eq: ['$tag', { $literal: tag }] })

/** Finds its document by the key alone, for which MongoDB needs no plan. */
const toStatement = (key: string, result: object): object => ({
  q: { _id: key },
  u: [{ $replaceWith: result }],
  upsert: true,
})

/**
 * Returns the usual update: of a live session whose deadline is not later than the new one. It is
 * short, because the server reads one for each save. It refuses more than the contract says, so a
 * refused update must be sent again as `toUpsert` makes it.
 *
 * @param latest the time of the server's clock from which on the statement does nothing. The time
 *   may be set until the statement is sent.
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
            { $literal: { tag, user, data: pack(data), expiresAt, purgeAt: toPurgeTime(expiresAt) } },
          ],
        }
  return toStatement(key, { $cond: [{ $and: lands }, row, REFUSE] })
}

/** Returns the statement of any write, whatever it may find. `latest` is as in `toUpdate`. */
export function toUpsert(write: Write, now: number, latest: Date): object {
  const { data, expect, tag, extend } = write
  const document = toDocument(write)
  const whole = { $literal: document }
  // A row with the tag of the write itself means that the write was sent before.
  if (expect === undefined) {
    const wasSent = { $and: [hasTag(tag), isThere(now)] }
    return toStatement(write.key, ifInTime(latest, { $cond: [wasSent, '$$ROOT', whole] }))
  }
  const unlessSentTwice = { $cond: [hasTag(tag), '$$ROOT', REFUSE] }
  if (expect === '')
    return toStatement(write.key, ifInTime(latest, { $cond: [isThere(now), unlessSentTwice, whole] }))
  const kept = { createdAt: { $cond: [isLive(now), '$createdAt', document.createdAt] } }
  const session = { $mergeObjects: [whole, kept, ...(extend ? [toExtension(document)] : [])] }
  const landed = { $cond: [hasTag(expect), data === null ? whole : session, unlessSentTwice] }
  const decision = { $cond: [isThere(now), expect === tag ? unlessSentTwice : landed, REFUSE] }
  return toStatement(write.key, ifInTime(latest, decision))
}

/** A tombstone has no `expiresAt`, and a document may be removed later than its deadline asks. */
const toExtension = ({ expiresAt, purgeAt }: Pick<Document, 'expiresAt' | 'purgeAt'>) => ({
  expiresAt: { $max: ['$expiresAt', expiresAt] },
  purgeAt: { $max: ['$purgeAt', purgeAt] },
})

/**
 * Returns the statements of touches. Touches that share their new deadline share a statement,
 * because core rounds deadlines. `latest` is as in `toUpdate`.
 */
export function toTouches(touches: readonly Touch[], now: number, latest: Date): object[] {
  const statements: object[] = []
  for (const [expiresAt, group] of Map.groupBy(touches, (touch) => touch.expiresAt)) {
    const tagged = group.filter(({ tag }) => tag !== undefined)
    const others = tagged.length === group.length ? [] : group.filter(({ tag }) => tag === undefined)
    for (const some of [tagged, others])
      if (some.length > 0) statements.push(toTouch(expiresAt, some, now, latest))
  }
  return statements
}

/** Takes touches that all have a tag, or that all have none. */
function toTouch(expiresAt: number, touches: readonly Touch[], now: number, latest: Date): object {
  const [{ key, tag }] = touches as [Touch]
  if (touches.length > 1) {
    const keys = touches.map((touch) => touch.key)
    // No two writes have the same tag, so none of the tags belongs to another session.
    const tags = tag === undefined ? undefined : touches.map((touch) => touch.tag)
    const q = {
      _id: { $in: keys },
      ...(tags && { tag: { $in: tags } }),
      expiresAt: { $gt: now },
      $expr: ifInTime(latest, true),
    }
    return { q, u: { $set: { expiresAt, purgeAt: toPurgeTime(expiresAt) } }, multi: true }
  }
  // A single touch finds its document by the key alone, too. `purgeAt` may be later than needed.
  const moves = tag === undefined ? isLive(now) : { $and: [isLive(now), hasTag(tag)] }
  const touched = {
    expiresAt: ifInTime(latest, { $cond: [moves, expiresAt, '$expiresAt'] }),
    purgeAt: { $max: ['$purgeAt', toPurgeTime(expiresAt)] },
  }
  return { q: { _id: key }, u: [{ $set: touched }] }
}

/** Returns the removal of one document, if it is the store's. `latest` is as in `toUpdate`. */
export const toRemoval = (key: string, latest: Date): object => ({
  q: { _id: key, tag: { $gt: '' }, $expr: ifInTime(latest, true) },
  limit: 1,
})
