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

/** The error that `toUpsert` makes of a refusal: no array, so it has no size. */
export const REFUSED = 17_124

/**
 * A statement that finds its document by the key alone, for which MongoDB needs no plan, and decides by what it
 * finds. Where the write may not land the result is an error: so each refusal is told by its number.
 */
export function toUpsert(write: Write, now: number): object {
  const { createdAt, ...row } = toDocument(write)
  const q = { _id: row._id }
  if (write.data === null) return { q, u: { ...row, createdAt }, upsert: true }
  const { expect, tag } = write
  const literal = { $literal: row }
  const [lands, landed] =
    expect === undefined
      ? [{ $lte: ['$goneUntil', now] }, [literal, creation(createdAt, now)]]
      : expect === ''
        ? [{ $or: [isOver(now), { $eq: ['$tag', { $literal: tag }] }] }, [literal, creation(createdAt, now)]]
        : [{ $and: [isLive(now), { $in: ['$tag', { $literal: [expect, tag] }] }] }, ['$$ROOT', literal]]
  const u = [{ $replaceWith: { $cond: [lands, { $mergeObjects: landed }, { $size: '$_id' }] } }]
  return { q, u, upsert: true }
}

// What is missing is less than any number: a tombstone is no live session, and no row stands against nobody.
const isLive = (now: number) => ({ $gt: ['$expiresAt', now] })
const isOver = (now: number) => ({ $lte: ['$expiresAt', now] })
const creation = (createdAt: number, now: number) => ({
  createdAt: { $cond: [isLive(now), '$createdAt', createdAt] },
})

/** Sessions that share their new deadline. */
export function toTouch(expiresAt: number, touches: readonly Touch[], now: number): object {
  const [first, ...others] = touches.map(({ key }) => key)
  if (others.length > 0) {
    const q = { _id: { $in: [first, ...others] }, expiresAt: { $gt: now } }
    return { q, u: { $set: { expiresAt, purgeAt: purgeAt(expiresAt) } }, multi: true }
  }
  // By the key alone, again. Whatever it is, it may well be removed later than its deadline asks.
  const touched = {
    expiresAt: { $cond: [isLive(now), expiresAt, '$expiresAt'] },
    purgeAt: { $max: ['$purgeAt', purgeAt(expiresAt)] },
  }
  return { q: { _id: first }, u: [{ $set: touched }] }
}
