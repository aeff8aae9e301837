import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { SessionStoreError } from '@session-stores/core'
import { TokenError } from './errors.ts'

/** Says what a token is to people and to scanners that look for leaked credentials. */
const PREFIX = 'rt_'
const VERSION = 1
/** Lengths in bytes. Together they are a multiple of 3, so base64url has no spare bits. */
const ID_LENGTH = 24
const KEY_ID_LENGTH = 3
const BODY_LENGTH = 1 + ID_LENGTH + 4 + KEY_ID_LENGTH
const MAC_LENGTH = 16
const FORM = new RegExp(`^${PREFIX}[A-Za-z0-9_-]{${((BODY_LENGTH + MAC_LENGTH) * 4) / 3}}$`)

/** What a refresh token says: the id of its family's row, and its number in the family. */
export interface RefreshToken {
  id: string
  n: number
}

interface MacKey {
  id: Buffer
  secret: Buffer
}

/** Returns a new id for a row of a family: 192 random bits. */
export const createFamilyId = (): string => PREFIX + randomBytes(ID_LENGTH).toString('base64url')

/** Whether the text has the form of a refresh token. */
export const isRefreshToken = (token: string): boolean => FORM.test(token)

/**
 * Writes and reads refresh tokens: `rt_` and the base64url of a version, the family's id, the
 * number, 3 bytes that name the key, and 16 bytes of HMAC-SHA-256. Forged tokens are refused
 * without the database, and the database holds neither the id nor the key. Later versions keep the
 * length, the key's name and the HMAC, so that this one knows them for tokens of its own kind.
 */
export class RefreshTokens {
  readonly #ring: readonly MacKey[]

  /** @param issuer a token of another issuer with the same secret is refused. */
  constructor(secrets: readonly Buffer[], issuer: string) {
    const derive = (secret: Buffer, label: string) =>
      Buffer.from(hkdfSync('sha256', secret, '', `session-stores ${label}\0${issuer}`, 32))
    this.#ring = secrets.map((secret) => ({
      id: derive(secret, 'refresh key id').subarray(0, KEY_ID_LENGTH),
      secret: derive(secret, 'refresh token'),
    }))
  }

  write({ id, n }: RefreshToken): string {
    const key = this.#ring[0]!
    const body = Buffer.alloc(BODY_LENGTH)
    body[0] = VERSION
    body.write(id.slice(PREFIX.length), 1, 'base64url')
    body.writeUInt32BE(n, 1 + ID_LENGTH)
    key.id.copy(body, BODY_LENGTH - KEY_ID_LENGTH)
    return PREFIX + Buffer.concat([body, macOf(key, body)]).toString('base64url')
  }

  /**
   * @throws MALFORMED or INVALID, or FORMAT_TOO_NEW for a token that a newer version of this package made:
   * such an error is temporary, and the client keeps its token.
   */
  read(token: unknown): RefreshToken {
    if (typeof token !== 'string' || !isRefreshToken(token))
      throw new TokenError('MALFORMED', 'this is not a refresh token')
    const bytes = Buffer.from(token.slice(PREFIX.length), 'base64url')
    const body = bytes.subarray(0, BODY_LENGTH)
    const keyId = body.subarray(BODY_LENGTH - KEY_ID_LENGTH)
    const isOurs = this.#ring.some(
      (key) => key.id.equals(keyId) && timingSafeEqual(macOf(key, body), bytes.subarray(BODY_LENGTH)),
    )
    if (isOurs && body[0]! > VERSION)
      throw new SessionStoreError(
        'FORMAT_TOO_NEW',
        'a newer version of the package has made this refresh token: upgrade @session-stores/token here',
      )
    if (body[0] !== VERSION || !isOurs)
      throw new TokenError('INVALID', 'none of the secrets made this refresh token')
    return {
      id: PREFIX + body.subarray(1, 1 + ID_LENGTH).toString('base64url'),
      n: body.readUInt32BE(1 + ID_LENGTH),
    }
  }
}

const macOf = ({ secret }: MacKey, body: Buffer): Buffer =>
  createHmac('sha256', secret).update(body).digest().subarray(0, MAC_LENGTH)
