import {
  FIRST_SCHEMA,
  NEWER_LAYOUT,
  type Row,
  type Schema,
  type SchemaVersion,
  type Write,
} from '@session-stores/core'

/**
 * How a row lies in the collection. A session has `data` and `expiresAt`, and a tombstone has
 * `goneUntil`, so one comparison shows which sessions are live. Times are numbers in epoch
 * milliseconds, except `purgeAt`, by which MongoDB removes documents. A later version of this layout
 * has a `layout` above 1 and keeps all fields but `data`.
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
  layout?: number
}

/** The names of the indexes. */
export const PURGE_INDEX = 'purgeAt_1'
export const USER_INDEX = 'user_1__id_1'

export const indexes: readonly object[] = [
  // By this index MongoDB removes documents, an hour or two after their deadlines.
  { name: PURGE_INDEX, key: { purgeAt: 1 }, expireAfterSeconds: 0 },
  { name: USER_INDEX, key: { user: 1, _id: 1 }, partialFilterExpression: { user: { $gt: '' } } },
]

/** The indexes of a later schema. Only new names: `createIndexes` refuses a name that is taken. */
export type Step = readonly object[]

/** The schema of the collection. There is no step yet. */
export const SCHEMA: Schema<Step> = { minimum: 1, steps: [] }

/** The `_id` of the document with the version of the schema. No comparison with a text finds it. */
export const SCHEMA_ID: object = { schema: 'session-stores' }

/** Returns the version in the document, where there is one. */
export const toSchemaVersion = (document: Partial<SchemaVersion> | undefined): SchemaVersion =>
  document === undefined
    ? FIRST_SCHEMA
    : { version: Number(document.version), minimum: Number(document.minimum) }

const HOUR = 3_600_000

/**
 * Returns when MongoDB may remove a document: at a full hour, at least one hour after its deadline.
 * See docs/decisions/0007-coarse-purge-times.md.
 */
export const toPurgeTime = (expiresAt: number): Date =>
  new Date(Math.min((Math.floor(expiresAt / HOUR) + 2) * HOUR, 8.64e15))

/**
 * Returns the payload as it is stored: as binary where it has lone surrogates, which UTF-8 lacks.
 */
export const pack = (data: string): string | Buffer =>
  data.isWellFormed() ? data : Buffer.from(data, 'utf16le')

/** Returns the size of a payload in MongoDB, in bytes. */
export const sizeOf = (data: string | null): number => (data === null ? 0 : Buffer.byteLength(pack(data)))

export function toDocument({ key, data, tag, user, createdAt, expiresAt }: Write): Document {
  const document = { _id: key, tag, user, createdAt, purgeAt: toPurgeTime(expiresAt) }
  return data === null ? { ...document, goneUntil: expiresAt } : { ...document, data: pack(data), expiresAt }
}

/** Returns the row of a document, or `undefined` for a document that is not the store's. */
export function toRow(document: Document): Row | undefined {
  const { _id: key, data, tag, user, createdAt, expiresAt, goneUntil } = document
  if (tag === undefined) return undefined
  if (goneUntil !== undefined) return { key, data: null, tag, user, createdAt, expiresAt: goneUntil }
  if (expiresAt === undefined) return undefined
  if (Number(document.layout) > 1) return { key, data: NEWER_LAYOUT, tag, user, createdAt, expiresAt }
  if (data === undefined) return undefined
  const text = Buffer.isBuffer(data) ? data.toString('utf16le') : data
  return { key, data: text, tag, user, createdAt, expiresAt }
}
