import { createCipheriv, createDecipheriv, createHmac, hash, KeyObject, randomBytes } from 'node:crypto'
import type { Row } from '../driver.ts'
import { SessionStoreError } from '../errors.ts'

/** The option `seal` of a store. */
export interface SealOptions {
  /**
   * The keys, newest first: the first one seals, every one opens. A key is 32 random bytes (no
   * text, no pattern), as bytes, as 64 hexadecimal digits, as base64 or base64url, or as a secret
   * `KeyObject`.
   */
  keys: readonly (Uint8Array | string | KeyObject)[]
  /**
   * Also reads rows that are not sealed yet, while an existing store moves to sealing. Where it is
   * off, such rows fail with `NOT_SEALED`.
   *
   * @default false
   */
  acceptPlain?: boolean
}

/** Lengths in bytes. */
const NONCE_LENGTH = 12
const AUTH_TAG_LENGTH = 16
const KEY_ID_LENGTH = 4

interface RingKey {
  /** The first bytes of the key's hash. They say which key sealed a row. */
  id: Buffer
  secret: Buffer
}

/**
 * The fields of a row to which its seal is bound. The deadline is not one of them, because touches
 * move it alone.
 */
export type SealedRow = Pick<Row, 'key' | 'user' | 'createdAt'>

/** Seals text for one row. What was sealed for another row does not open. */
export interface Sealer {
  acceptPlain: boolean
  /** `version` is the format of the text: it opens as this format alone. */
  seal(text: string, row: SealedRow, version: number): string
  /** @throws SEAL_BROKEN */
  open(sealed: string, row: SealedRow, version: number): string
}

/**
 * Returns a sealer that uses AES-256-GCM. The associated data are the row's key, its user, its
 * beginning, `place` (the table, collection or prefix) and its format, so that whoever can write to the
 * database but has no key can neither move a session nor change whose it is or how old it is. Each
 * row is sealed with a key of its own, the HMAC-SHA-256 of the row's key, so that the bound of 2^32
 * random nonces per key holds for each row (NIST SP 800-38D, 8.3). A sealed text is the base64url
 * of: 4 bytes that name the key of the ring, the nonce, the tag, the ciphertext.
 */
export function createSealer({ keys, acceptPlain = false }: SealOptions, place: string): Sealer {
  const ring = keys.map(toRingKey)
  const rowKey = (key: RingKey, row: string) => createHmac('sha256', key.secret).update(row).digest()
  const associated = ({ key, user, createdAt }: SealedRow, version: number) =>
    Buffer.from(JSON.stringify([key, user, createdAt, place, ...(version === 1 ? [] : [version])]))
  return {
    acceptPlain,
    seal(text, row, version) {
      const key = ring[0]!
      const nonce = randomBytes(NONCE_LENGTH)
      const cipher = createCipheriv('aes-256-gcm', rowKey(key, row.key), nonce).setAAD(
        associated(row, version),
      )
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([key.id, nonce, cipher.getAuthTag(), body]).toString('base64url')
    },
    open(sealed, row, version) {
      const bytes = Buffer.from(sealed, 'base64url')
      const key = ring.find(({ id }) => id.equals(bytes.subarray(0, KEY_ID_LENGTH)))
      if (!key) throw brokenSeal('no key of seal.keys sealed this session')
      try {
        const tagStart = KEY_ID_LENGTH + NONCE_LENGTH
        const bodyStart = tagStart + AUTH_TAG_LENGTH
        const nonce = bytes.subarray(KEY_ID_LENGTH, tagStart)
        const decipher = createDecipheriv('aes-256-gcm', rowKey(key, row.key), nonce, {
          authTagLength: AUTH_TAG_LENGTH,
        })
        decipher.setAAD(associated(row, version)).setAuthTag(bytes.subarray(tagStart, bodyStart))
        return decipher.update(bytes.subarray(bodyStart), undefined, 'utf8') + decipher.final('utf8')
      } catch (error) {
        throw brokenSeal('the sealed session, its user or its beginning was changed, or it was moved', error)
      }
    },
  }
}

/** Returns the 32 bytes of a key, or `undefined` where the value is not a key. */
function keyBytes(key: unknown): Buffer | undefined {
  let bytes: Buffer | undefined
  if (key instanceof KeyObject) bytes = key.type === 'secret' ? key.export() : undefined
  else if (key instanceof Uint8Array) bytes = Buffer.from(key)
  else if (typeof key === 'string')
    bytes = /^[0-9a-f]{64}$/i.test(key)
      ? Buffer.from(key, 'hex')
      : /^[\w+/-]{43}=?$/.test(key)
        ? Buffer.from(key, 'base64')
        : undefined
  return bytes?.length === 32 ? bytes : undefined
}

/**
 * Whether these 32 bytes are certainly not random: text, a few bytes repeated, or bytes that count.
 * A random key is mistaken for such a key less than once in 10^12.
 */
function isPredictable(bytes: Uint8Array): boolean {
  const steps = bytes.subarray(1).map((byte, i) => byte - bytes[i]!)
  return (
    new Set(bytes).size < 12 || new Set(steps).size < 12 || bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
  )
}

/**
 * Returns the 32 bytes of a random key, or `undefined` where the value is no key or is predictable.
 * It takes what `SealOptions.keys` takes. For packages that take keys of their own.
 */
export function secretKeyOf(value: unknown): Buffer | undefined {
  const bytes = keyBytes(value)
  return bytes && !isPredictable(bytes) ? bytes : undefined
}

/** Whether the value can be the option `seal`. */
export function isSealOptions(value: unknown): boolean {
  const { keys, acceptPlain = false } = (value ?? {}) as Partial<SealOptions>
  return (
    Array.isArray(keys) &&
    keys.length > 0 &&
    keys.every((key) => secretKeyOf(key) !== undefined) &&
    typeof acceptPlain === 'boolean'
  )
}

function toRingKey(key: SealOptions['keys'][number]): RingKey {
  const secret = keyBytes(key)!
  return { id: hash('sha256', secret, 'buffer').subarray(0, KEY_ID_LENGTH), secret }
}

const brokenSeal = (message: string, cause?: unknown): SessionStoreError =>
  new SessionStoreError('SEAL_BROKEN', message, cause)
