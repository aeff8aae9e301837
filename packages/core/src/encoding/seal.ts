import { createCipheriv, createDecipheriv, createHmac, hash, KeyObject, randomBytes } from 'node:crypto'
import type { Row } from '../driver.ts'
import { SessionStoreError } from '../errors.ts'
import type { SealOptions } from '../options.ts'

const IV = 12
const TAG = 16
const ID = 4

interface RingKey {
  /** The first bytes of the key's hash: says which key sealed a row. */
  id: Buffer
  secret: Buffer
}

/** What of a row its seal is bound to; the deadline is not, for a touch moves it alone. */
export type SealedRow = Pick<Row, 'key' | 'user' | 'createdAt'>

/** Seals text for one row; what was sealed for another row does not open. */
export interface Sealer {
  acceptPlain: boolean
  seal(text: string, row: SealedRow): string
  /** Throws `SEAL_BROKEN`. */
  open(sealed: string, row: SealedRow): string
}

/**
 * AES-256-GCM. Associated data are the row's key, its user, its beginning and the `place` (table, collection or
 * prefix), so that whoever can write to the database but has no key can neither move a session nor change whose it
 * is or how old it is. Each row has a key of its own, HMAC-SHA-256 of the row's key, so that the bound of 2^32
 * random nonces a key (NIST SP 800-38D, 8.3) is one for each row.
 * A sealed text is base64url of: 4 bytes that name the key of the ring, the nonce, the tag, the ciphertext.
 */
export function sealer({ keys, acceptPlain = false }: SealOptions, place: string): Sealer {
  const ring = keys.map(ringKey)
  const rowKey = (key: RingKey, row: string) => createHmac('sha256', key.secret).update(row).digest()
  const associated = ({ key, user, createdAt }: SealedRow) =>
    Buffer.from(JSON.stringify([key, user, createdAt, place]))
  return {
    acceptPlain,
    seal(text, row) {
      const key = ring[0]!
      const iv = randomBytes(IV)
      const cipher = createCipheriv('aes-256-gcm', rowKey(key, row.key), iv).setAAD(associated(row))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([key.id, iv, cipher.getAuthTag(), body]).toString('base64url')
    },
    open(sealed, row) {
      const bytes = Buffer.from(sealed, 'base64url')
      const key = ring.find(({ id }) => id.equals(bytes.subarray(0, ID)))
      if (!key) throw broken('no key of seal.keys sealed this session')
      try {
        const iv = bytes.subarray(ID, ID + IV)
        const decipher = createDecipheriv('aes-256-gcm', rowKey(key, row.key), iv, { authTagLength: TAG })
        decipher.setAAD(associated(row)).setAuthTag(bytes.subarray(ID + IV, ID + IV + TAG))
        return decipher.update(bytes.subarray(ID + IV + TAG), undefined, 'utf8') + decipher.final('utf8')
      } catch (error) {
        throw broken('the sealed session, its user or its beginning was changed, or it was moved', error)
      }
    },
  }
}

/** The 32 bytes of a key; `undefined` for what is none. */
export function keyBytes(key: unknown): Buffer | undefined {
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
 * Whether these 32 bytes are plainly no random ones: text, a few bytes again and again, or bytes that count. A random
 * key is taken for such a one less than once in 10^12.
 */
export function isPredictable(bytes: Uint8Array): boolean {
  const steps = bytes.subarray(1).map((byte, i) => byte - bytes[i]!)
  return (
    new Set(bytes).size < 12 || new Set(steps).size < 12 || bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
  )
}

function ringKey(key: SealOptions['keys'][number]): RingKey {
  const secret = keyBytes(key)!
  return { id: hash('sha256', secret, 'buffer').subarray(0, ID), secret }
}

const broken = (message: string, cause?: unknown): SessionStoreError =>
  new SessionStoreError('SEAL_BROKEN', message, cause)
