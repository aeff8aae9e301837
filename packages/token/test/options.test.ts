import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { memoryDriver, SessionStore } from '@session-stores/core'
import { describe, expect, it, test } from 'vitest'
import { generateKey, Tokens, type TokensOptions } from '../src/index.ts'
import { openInMemory, tokensForTest } from './support/databases.ts'
import { AUDIENCE, ISSUER, secrets } from './support/tokens.ts'

describe('options', () => {
  const store = openInMemory()
  const right = { store, issuer: ISSUER, audience: AUDIENCE, secret: secrets[0]! }
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
  const x25519 = generateKeyPairSync('x25519').privateKey
  const { d: _private, ...publicJwk } = JSON.parse(generateKey())
  const key = generateKey()

  test.each([
    ['no store', { store: undefined }, /'store' is undefined/],
    ['a store of express-session', { store: {} }, /a store of this project/],
    ['a store without user', { store: new SessionStore(memoryDriver()) }, /option 'user'/],
    [
      'a store with plain ids',
      { store: new SessionStore(memoryDriver(), { hashIds: false, user: () => 'x' }) },
      /hashIds/,
    ],
    ['no issuer', { issuer: undefined }, /'issuer' is undefined/],
    ['an empty issuer', { issuer: '' }, /'issuer' takes/],
    ['an issuer with a line break', { issuer: 'a\nb' }, /'issuer' takes/],
    ['no audience', { audience: [] }, /'audience' takes/],
    ['no secret', { secret: undefined }, /'secret' is undefined.*randomBytes\(32\)/],
    ['a short secret', { secret: 'secret' }, /'secret' takes 32 random bytes/],
    ['31 bytes', { secret: randomBytes(31) }, /'secret' takes/],
    ['a predictable secret', { secret: Buffer.alloc(32, 1) }, /'secret' takes/],
    ['a password of 32 letters', { secret: 'correct horse battery staple now' }, /'secret' takes/],
    ['the same secret twice', { secret: [secrets[0], secrets[0]] }, /same secret twice/],
    ['no keys', { keys: [] }, /'keys' takes an array of ES256/],
    ['an RSA key', { keys: [rsa.privateKey] }, /'keys' takes/],
    ['a P-384 key', { keys: [p384] }, /'keys' takes/],
    ['an X25519 key', { keys: [x25519] }, /'keys' takes/],
    ['a symmetric key', { keys: [{ kty: 'oct', k: secrets[0] }] }, /'keys' takes/],
    ['a broken key', { keys: ['-----BEGIN PRIVATE KEY-----'] }, /'keys' takes/],
    ['a key that is JSON, but no key', { keys: ['{}'] }, /'keys' takes/],
    ['a public key first', { keys: [publicJwk] }, /must be a private key/],
    ['the same key twice', { keys: [key, key] }, /same key twice/],
    [
      'the same key in two forms',
      {
        keys: [
          key,
          createPrivateKey({ key: JSON.parse(key), format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }),
        ],
      },
      /same key twice/,
    ],
    ['an hour', { lifetime: 3_600_000 }, /longLived: true/],
    ['a lifetime in seconds', { lifetime: 300 }, /'lifetime' takes a number of milliseconds/],
    ['a freshness below 0', { freshness: -1 }, /'freshness' takes/],
    ['freshness true', { freshness: true }, /'freshness' takes/],
    ['a grace of an hour', { grace: 3_600_000 }, /'grace' takes/],
    [
      'an idle time beyond the lifetime',
      { familyIdle: 2000, familyLifetime: 1000 },
      /'familyIdle' must not be longer/,
    ],
    ['claims that are no function', { claims: {} }, /'claims' takes a function/],
    ['a cache of none', { cacheSize: 0 }, /'cacheSize' takes/],
    ['an unknown option', { expiresIn: '5m' }, /unknown option 'expiresIn'/],
  ])('%s is refused', (_name, wrong, message) => {
    const make = () => new Tokens({ ...right, ...wrong } as TokensOptions)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
    // The message holds no secret.
    expect(() => make()).not.toThrow(secrets[0]!)
  })

  test.each([
    ['several secrets', { secret: secrets }],
    ['a secret as bytes', { secret: randomBytes(32) }],
    ['an hour on purpose', { lifetime: 3_600_000, longLived: true }],
    ['keys as PEM and JWK', { keys: [key, JSON.parse(generateKey('Ed25519')), publicJwk] }],
    ['no grace', { grace: 0 }],
  ])('%s is accepted', async (_name, more) => {
    const tokens = tokensForTest(openInMemory(), more as Partial<TokensOptions>)
    const { accessToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    await tokens.verify(accessToken)
  })

  it('names of clients are checked', async () => {
    const tokens = tokensForTest(openInMemory())
    for (const client of ['', 'x'.repeat(129), 'a\nb', undefined, {}])
      await expect(tokens.grant({ userId: 'ada' }, { client: client as string })).rejects.toThrow(TypeError)
  })

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, true, '1000', null])(
    'a freshness of %s for one token is refused',
    async (wrong) => {
      const tokens = tokensForTest(openInMemory())
      const { accessToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
      const options = { freshness: wrong as number }
      await expect(tokens.verify(accessToken, options)).rejects.toThrow(/'freshness' takes/)
      await tokens.verify(accessToken)
      expect(() => tokens.verifyKnown(accessToken, options)).toThrow(/'freshness' takes/)
    },
  )
})
