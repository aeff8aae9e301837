import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type JsonWebKey,
  KeyObject,
  subtle,
} from 'node:crypto'
import { type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from 'jose'

/** The algorithms of access tokens. `Ed25519` is the name of RFC 9864 for what was `EdDSA`. */
export type Algorithm = 'ES256' | 'Ed25519' | 'HS256'

/** A key as an application configures it: PEM, a JWK (also as JSON), or a `KeyObject`. */
export type KeyInput = string | JsonWebKey | KeyObject

/** A public key as other services get it: a JWK (RFC 7517). */
export interface PublishedKey {
  kty: string
  kid: string
  alg: Algorithm
  use: 'sig'
  crv?: string
  x?: string
  y?: string
}

/** A key of the ring, for one algorithm and no other (RFC 8725, 3.1). */
export interface RingKey {
  /** The RFC 7638 thumbprint of an asymmetric key. */
  kid: string
  alg: Algorithm
  /** Verifies, and also signs where it is symmetric. */
  verify: CryptoKey
  /** Missing where only the public key is known. */
  sign?: CryptoKey
  /** Only for asymmetric keys. */
  published?: PublishedKey
}

/**
 * Returns the key of an input, private or public, or `undefined` where it is neither ES256 nor
 * Ed25519.
 */
export function readKey(input: unknown): KeyObject | undefined {
  try {
    const key = toKeyObject(input)
    return key && algorithmOf(key) ? key : undefined
  } catch {
    return undefined
  }
}

function toKeyObject(input: unknown): KeyObject | undefined {
  if (input instanceof KeyObject) return input
  if (typeof input === 'string' && !input.trimStart().startsWith('{'))
    return input.includes('PRIVATE KEY') ? createPrivateKey(input) : createPublicKey(input)
  const jwk = (typeof input === 'string' ? JSON.parse(input) : input) as JsonWebKey
  return jwk.d === undefined
    ? createPublicKey({ key: jwk, format: 'jwk' })
    : createPrivateKey({ key: jwk, format: 'jwk' })
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Algorithm | undefined {
  if (asymmetricKeyType === 'ed25519') return 'Ed25519'
  return asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'ES256' : undefined
}

/** Returns the public half of a key. */
export const publicOf = (key: KeyObject): KeyObject => (key.type === 'public' ? key : createPublicKey(key))

/**
 * Returns a new private key as the text of a JWK, for the option `keys`. Keep it as you keep a
 * password, and outside the database of the sessions.
 *
 * @param alg `ES256`, which every library reads, or `Ed25519`. Default `ES256`.
 * @example
 * // node -e "console.log(require('@session-stores/token').generateKey())"
 */
export function generateKey(alg: 'ES256' | 'Ed25519' = 'ES256'): string {
  const { privateKey } =
    alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
  return JSON.stringify(privateKey.export({ format: 'jwk' }))
}

/** The keys by which access tokens are signed and verified, once they are ready. */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, RingKey>
  readonly signer: RingKey & { sign: CryptoKey }
  readonly algorithms: Algorithm[]

  /** Imports asymmetric keys, or derives symmetric ones from secrets of 32 bytes. */
  static async load(
    keys: readonly KeyObject[] | undefined,
    secrets: readonly Buffer[],
    issuer: string,
  ): Promise<KeyRing> {
    const loading = keys?.map(toAsymmetricKey) ?? secrets.map((secret) => toSymmetricKey(secret, issuer))
    return new KeyRing(await Promise.all(loading))
  }

  private constructor(keys: readonly RingKey[]) {
    this.#keys = new Map(keys.map((key) => [key.kid, key]))
    this.signer = keys[0] as RingKey & { sign: CryptoKey }
    this.algorithms = [...new Set(keys.map(({ alg }) => alg))]
  }

  /** Returns the key with this `kid`. No header can name a key that is not in the ring. */
  find(kid: unknown): RingKey | undefined {
    return this.#keys.get(kid as string)
  }

  /** Returns the public keys as a JWK Set (RFC 7517). Symmetric keys are never part of it. */
  published(): { keys: PublishedKey[] } {
    return { keys: [...this.#keys.values()].flatMap(({ published }) => published ?? []) }
  }
}

async function toAsymmetricKey(key: KeyObject): Promise<RingKey> {
  const alg = algorithmOf(key)!
  const jwk = publicOf(key).export({ format: 'jwk' }) as JWK
  const kid = await calculateJwkThumbprint(jwk)
  const load = (source: JWK) => importJWK(source, alg) as Promise<CryptoKey>
  return {
    kid,
    alg,
    verify: await load(jwk),
    ...(key.type === 'private' && { sign: await load(key.export({ format: 'jwk' }) as JWK) }),
    published: { ...jwk, kid, alg, use: 'sig' } as PublishedKey,
  }
}

async function toSymmetricKey(secret: Buffer, issuer: string): Promise<RingKey> {
  const derive = (label: string) => hkdfSync('sha256', secret, '', `session-stores ${label}\0${issuer}`, 32)
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  // With the types of browsers, this is another `CryptoKey` than that of Node.
  const verify = (await subtle.importKey('raw', derive('access token'), algorithm, false, [
    'sign',
    'verify',
  ])) as CryptoKey
  const kid = Buffer.from(derive('access key id')).subarray(0, 12).toString('base64url')
  return { kid, alg: 'HS256', verify, sign: verify }
}
