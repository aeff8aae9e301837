import { createHook } from 'node:async_hooks'
import { createHmac, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { CompactSign, importJWK, type JWK, type JWTPayload } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { generateKey, TokenError, Tokens } from '../src/index.ts'
import { openInMemory } from './support/databases.ts'
import { AUDIENCE, codeOf, ISSUER, secrets } from './support/tokens.ts'

/** Tokens that nobody may accept, made by somebody who knows everything but the private keys. */

const es256 = JSON.parse(generateKey()) as JWK
const ed25519 = JSON.parse(generateKey('Ed25519')) as JWK
const store = openInMemory()
const tokens = new Tokens({
  store,
  issuer: ISSUER,
  audience: AUDIENCE,
  secret: secrets[0]!,
  keys: [JSON.stringify(es256), ed25519],
})

type Header = Record<string, unknown>

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const parse = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())

/** Signs with a key of ours what we would never sign: the check behind the signature must refuse it. */
async function sign(header: Header, payload: unknown, key: JWK = es256): Promise<string> {
  const alg = (header.alg as string | undefined) ?? 'ES256'
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const signing = new CompactSign(Buffer.from(body)).setProtectedHeader({ ...header, alg } as { alg: string })
  return signing.sign(await importJWK(key, alg), { crit: { x: true } })
}

const hmac = (hash: string, secret: Buffer | string, header: Header, payload: unknown): string => {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`
}

let good: string
let header: Header
let claims: JWTPayload
const forged: [name: string, token: unknown][] = []

beforeAll(async () => {
  const grant = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
  good = grant.accessToken
  const [head, body, signature] = good.split('.') as [string, string, string]
  header = parse(head)
  claims = parse(body)
  const { keys } = await tokens.jwks()
  const { kty, crv, x, y } = es256
  const publicJwk = { kty, crv, x, y } as JWK
  const pem = createPublicKey({ key: publicJwk as never, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  })
  const other = await tokens.grant({ userId: 'eve' }, { client: 'cli' })
  const attacker = JSON.parse(generateKey()) as JWK
  const { d: _private, ...attackerPublic } = attacker
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }) as JWK
  const add = (name: string, token: unknown) => void forged.push([name, token])
  const addSigned = async (name: string, head: Header, body: unknown, key?: JWK) =>
    add(name, await sign({ ...header, ...head }, body, key))
  const without = (name: string) => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name))

  for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
    add(`alg ${alg}, no signature`, `${encode({ ...header, alg })}.${body}.`)
    add(`alg ${alg}, the signature of another token`, `${encode({ ...header, alg })}.${body}.${signature}`)
  }
  for (const [name, secret] of [
    ['PEM', pem],
    ['JWK', JSON.stringify(publicJwk)],
    ['published JWK', JSON.stringify(keys[0])],
    ['coordinate', Buffer.from(x!, 'base64url')],
  ] as const)
    add(`HS256 with the public key's ${name}`, hmac('sha256', secret, { ...header, alg: 'HS256' }, claims))
  add('HS256 with an empty secret', hmac('sha256', '', { ...header, alg: 'HS256' }, claims))
  add(
    'HS256 with the secret of refresh tokens',
    hmac('sha256', Buffer.from(secrets[0]!, 'hex'), { ...header, alg: 'HS256' }, claims),
  )
  add('HS512 with the public key', hmac('sha512', pem, { ...header, alg: 'HS512' }, claims))
  for (const alg of ['es256', 'ES384', 'ES512', 'RS256', 'EdDSA', 'Ed25519', '', 1, null])
    add(`alg ${alg} with the signature of ES256`, `${encode({ ...header, alg })}.${body}.${signature}`)
  add(
    'RS256 with a key of the attacker',
    await sign({ ...header, alg: 'RS256' }, claims, { ...rsa, alg: 'RS256' }),
  )
  await addSigned('a key of the attacker under our kid', {}, claims, attacker)
  await addSigned('a key of the attacker in jwk', { jwk: attackerPublic }, claims, attacker)
  await addSigned('a key of the attacker at jku', { jku: 'http://127.0.0.1:9/jwks.json' }, claims, attacker)
  await addSigned('a key of the attacker at x5u', { x5u: 'http://127.0.0.1:9/cert.pem' }, claims, attacker)
  await addSigned(
    'a key of the attacker in x5c',
    { x5c: [randomBytes(300).toString('base64')] },
    claims,
    attacker,
  )
  for (const kid of ['../../../etc/passwd', "' OR 1=1 --", 'x'.repeat(1000), '', '\0', 'undefined'])
    await addSigned(`kid ${kid.slice(0, 20)}`, { kid }, claims)
  for (const kid of [0, 1, null, [header.kid], { kid: header.kid }, true, undefined])
    add(`kid ${JSON.stringify(kid)}`, await sign({ ...header, kid }, claims))
  await addSigned('the kid of another key of ours', { kid: keys[1]!.kid }, claims)
  for (const typ of [
    'JWT',
    'id_token',
    'refresh+jwt',
    'at+jwt+x',
    'application/jwt',
    '',
    undefined,
    1,
    ['at+jwt'],
  ])
    await addSigned(`typ ${typ}`, { typ }, claims)
  await addSigned('an unknown crit', { crit: ['x'], x: 1 }, claims)
  add('b64 false', `${encode({ ...header, b64: false, crit: ['b64'] })}.${body}.${signature}`)

  for (const name of ['iss', 'aud', 'sub', 'client_id', 'iat', 'exp', 'jti', 'sid'])
    await addSigned(`no ${name}`, {}, without(name))
  for (const [name, values] of Object.entries({
    iss: ['https://evil.example', [ISSUER], null],
    aud: ['https://other.example', [], {}, 1, null, `${AUDIENCE}/`],
    sub: ['', 1, null, ['ada'], {}],
    client_id: ['', 1, null],
    iat: ['now', null, {}],
    exp: ['never', null, {}, 1, -1, claims.iat! - 60],
    nbf: [claims.exp! + 3600, 'soon', null],
    jti: ['', 1, null],
    sid: ['', 'x', 1, null, [claims.sid], `${claims.sid}x`, randomBytes(32).toString('base64url')],
    gen: ['0', 0.5, {}],
    scope: [['admin'], 1, {}],
  }))
    for (const value of values)
      await addSigned(`${name} ${JSON.stringify(value)}`, {}, { ...claims, [name]: value })
  await addSigned('claims of somebody else for this session', {}, { ...claims, sub: 'eve' })
  for (const [name, body] of [
    ['text', 'text'],
    ['an array', '[]'],
    ['null', 'null'],
    ['nothing', ''],
    ['a cut object', '{"sub":'],
  ] as const)
    await addSigned(`${name} in place of claims`, {}, body)

  add('a changed claim', `${head}.${encode({ ...claims, sub: 'eve' })}.${signature}`)
  add('the signature of another token', `${head}.${body}.${other.accessToken.split('.')[2]}`)
  add('a signature of zeros', `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`)
  add(
    'a DER signature',
    `${head}.${body}.${Buffer.concat([Buffer.from([0x30, 0x44]), randomBytes(68)]).toString('base64url')}`,
  )
  for (let cut = 1; cut <= 3; cut++) add(`without the last ${cut} characters`, good.slice(0, -cut))
  add('half of it', good.slice(0, good.length / 2))
  for (const [name, token] of [
    ['two parts', `${head}.${body}`],
    ['four parts', `${good}.${signature}`],
    ['five parts, as a JWE', `${head}.${body}.${body}.${body}.${signature}`],
    ['no header', `.${body}.${signature}`],
    ['a space before it', ` ${good}`],
    ['a line break after it', `${good}\n`],
    ['a space inside', good.replace('.', '. ')],
    ['padding', `${good}=`],
    ['characters of base64', good.replaceAll('-', '+').replace(/^./, '/')],
    ['other letters', good.toUpperCase()],
    ['letters beyond ASCII', good.replace('e', 'е')],
    ['JSON', JSON.stringify({ payload: body, signatures: [{ protected: head, signature }] })],
    ['a scheme', `Bearer ${good}`],
    ['4,097 characters', `${head}.${body}.${signature}`.padEnd(4097, 'A')],
    ['a megabyte', `${head}.${'A'.repeat(1_000_000)}.${signature}`],
    ['a refresh token', grant.refreshToken],
    ['the handle of the session', claims.sid],
    ['nothing', ''],
    ['undefined', undefined],
    ['an object', { toString: () => good }],
    ['an array', [good]],
    ['a number', 1],
  ] as const)
    add(name, token)
})

describe('forged access tokens', () => {
  it('are all refused, without a request to anybody', async () => {
    expect(await tokens.verify(good)).toMatchObject({ sub: 'ada' })
    const requests: string[] = []
    const hook = createHook({
      init(_id, type) {
        if (/^(TCPCONNECTWRAP|PIPECONNECTWRAP|GETADDRINFOREQWRAP|QUERYWRAP|FSREQCALLBACK)$/.test(type))
          requests.push(type)
      },
    }).enable()
    const accepted: string[] = []
    const odd: string[] = []
    try {
      for (const [name, token] of forged)
        for (const freshness of [0, false] as const) {
          // Whether its session is there is all that a token of ours says wrong in these two.
          if (freshness === false && /^(claims of somebody else|sid "[\w-]{43}")/.test(name)) continue
          const error = await tokens.verify(token as string, { freshness }).catch((reason: unknown) => reason)
          if (!(error instanceof TokenError)) accepted.push(name)
          else if (!['MALFORMED', 'INVALID', 'EXPIRED', 'REVOKED'].includes(error.code))
            odd.push(`${name}: ${error.code}`)
        }
    } finally {
      hook.disable()
    }
    expect(accepted).toEqual([])
    expect(odd).toEqual([])
    expect(requests).toEqual([])
    expect(forged.length).toBeGreaterThan(100)
    expect(await tokens.verify(good)).toMatchObject({ sub: 'ada' })
  })

  it('are refused with messages that repeat nothing of them', async () => {
    for (const [name, token] of forged) {
      const error = (await tokens.verify(token as string).catch((reason: unknown) => reason)) as TokenError
      expect(error, name).toBeInstanceOf(TokenError)
      const shown = `${error.message} ${JSON.stringify(error)} ${String((error as Error).cause)}`
      for (const secret of [
        good,
        claims.sid as string,
        claims.jti!,
        header.kid as string,
        'eve',
        'etc/passwd',
        'evil',
      ])
        expect(shown, name).not.toContain(secret)
    }
  })

  it('as refresh tokens are refused without the database', async () => {
    const { refreshToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    const bytes = Buffer.from(refreshToken.slice(3), 'base64url')
    const flipped = Array.from(bytes, (_, i) => {
      const changed = Buffer.from(bytes)
      changed[i]! ^= 1 << (i % 8)
      return `rt_${changed.toString('base64url')}`
    })
    const others = [
      '',
      'rt_',
      refreshToken.slice(3),
      `${refreshToken} `,
      `${refreshToken}A`,
      refreshToken.slice(0, -1),
      good,
    ]
    const odd = [undefined, null, 1, {}, [refreshToken]] as unknown as string[]
    const closed = openInMemory()
    await closed.close()
    const offline = new Tokens({ store: closed, issuer: ISSUER, audience: AUDIENCE, secret: secrets[0]! })
    for (const token of [...flipped, ...others, ...odd])
      expect(await codeOf(offline.refresh(token)), String(token)).toMatch(/^(MALFORMED|INVALID)$/)
    // This one gets as far as the database.
    expect(await codeOf(offline.refresh(refreshToken))).toBe('CLOSED')
    const elsewhere = new Tokens({
      store,
      issuer: 'https://other.example',
      audience: AUDIENCE,
      secret: secrets[0]!,
    })
    expect(await codeOf(elsewhere.refresh(refreshToken))).toBe('INVALID')
    expect(flipped.length + others.length + odd.length).toBeGreaterThanOrEqual(60)
  })
})
