import { createCipheriv, createDecipheriv, createHmac, hash, KeyObject, randomBytes } from 'node:crypto'
import { SessionStoreError } from './errors.ts'
import type { SealOptions } from './options.ts'

const IV = 12
const TAG = 16
const ID = 4

interface RingKey {
  /** The first bytes of the key's hash: says which key sealed a row. */
  id: Buffer
  secret: Buffer
}

/** Seals text for one row; what was sealed for another row does not open. */
export interface Sealer {
  acceptPlain: boolean
  seal(text: string, row: string): string
  /** Throws `SEAL_BROKEN`. */
  open(sealed: string, row: string): string
}

/**
 * AES-256-GCM with the row's key as associated data. Each row has a key of its own, HMAC-SHA-256 of the row's
 * key, so that the bound of 2^32 random nonces a key (NIST SP 800-38D, 8.3) is one for each row.
 * A sealed text is base64url of: 4 bytes that name the key of the ring, the nonce, the tag, the ciphertext.
 */
export function sealer({ keys, acceptPlain = false }: SealOptions): Sealer {
  const ring = keys.map(ringKey)
  const rowKey = (key: RingKey, row: string) => createHmac('sha256', key.secret).update(row).digest()
  return {
    acceptPlain,
    seal(text, row) {
      const key = ring[0]!
      const iv = randomBytes(IV)
      const cipher = createCipheriv('aes-256-gcm', rowKey(key, row), iv).setAAD(Buffer.from(row))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([key.id, iv, cipher.getAuthTag(), body]).toString('base64url')
    },
    open(sealed, row) {
      const bytes = Buffer.from(sealed, 'base64url')
      const key = ring.find(({ id }) => id.equals(bytes.subarray(0, ID)))
      if (!key) throw broken('no key of seal.keys sealed this session')
      try {
        const iv = bytes.subarray(ID, ID + IV)
        const decipher = createDecipheriv('aes-256-gcm', rowKey(key, row), iv, { authTagLength: TAG })
        decipher.setAAD(Buffer.from(row)).setAuthTag(bytes.subarray(ID + IV, ID + IV + TAG))
        return decipher.update(bytes.subarray(ID + IV + TAG), undefined, 'utf8') + decipher.final('utf8')
      } catch (error) {
        throw broken('the sealed session was changed or moved', error)
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

function ringKey(key: SealOptions['keys'][number]): RingKey {
  const secret = keyBytes(key)!
  return { id: hash('sha256', secret, 'buffer').subarray(0, ID), secret }
}

const broken = (message: string, cause?: unknown): SessionStoreError =>
  new SessionStoreError('SEAL_BROKEN', message, cause)
