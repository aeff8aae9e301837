import type { Examination } from './examination.ts'
import { request } from './http.ts'

/** Where keys are published by default. */
const DEFAULT_PATH = '/.well-known/jwks.json'
/** The longest time that keys may be cached, in seconds: a new key signs 10 minutes after it is published. */
const LONGEST = 600
const CHECKS = ['site/jwks-keys', 'site/jwks-private', 'site/jwks-cache']

interface Jwk {
  kid?: unknown
  kty?: unknown
  d?: unknown
  k?: unknown
}

/** Checks the keys that the site publishes for its tokens. */
export async function checkJwks(
  exam: Examination,
  site: URL,
  path: string | undefined,
  timeout: number,
): Promise<void> {
  const url = new URL(path ?? DEFAULT_PATH, site)
  const answer = await request(url, timeout)
  const keys = await readKeys(answer)
  if (keys === undefined && path === undefined)
    return exam.skip(CHECKS, `there are no keys at ${url.pathname}: name another place with --jwks`)
  exam.check(
    'site/jwks-keys',
    !keys?.length || new Set(keys.map(({ kid }) => kid)).size < keys.length || !keys.every(hasName),
    'error',
    keys === undefined
      ? `${url.pathname} answers with ${answer.status} and no set of keys.`
      : `${url.pathname} has ${keys.length} keys, and each must have a kid of its own.`,
    'Serve what tokens.jwks() returns, as tokenRoutes does.',
  )
  if (keys === undefined) return
  exam.check(
    'site/jwks-private',
    keys.some(({ d, k, kty }) => d !== undefined || k !== undefined || kty === 'oct'),
    'error',
    `${url.pathname} publishes a private or secret key: everybody can issue tokens.`,
    'Replace the key now, and publish public keys alone, as tokens.jwks() returns them.',
  )
  const age = /max-age="?(\d+)/i.exec(answer.headers.get('cache-control') ?? '')?.[1]
  exam.check(
    'site/jwks-cache',
    age === undefined || Number(age) > LONGEST,
    'warning',
    age === undefined
      ? 'The keys come without max-age, so that nobody knows how long a verifier keeps them.'
      : `Verifiers may keep the keys for ${age} seconds, longer than a new key waits before it signs.`,
    'Send Cache-Control: max-age=300 with the keys.',
  )
}

const hasName = ({ kid }: Jwk): boolean => typeof kid === 'string' && kid !== ''

/** Returns the keys, or `undefined` where the answer is no JWK Set (RFC 7517, 5). */
async function readKeys(answer: Response): Promise<Jwk[] | undefined> {
  try {
    const body = (await answer.json()) as { keys?: unknown }
    return answer.ok && Array.isArray(body.keys) ? (body.keys as Jwk[]) : undefined
  } catch {
    return undefined
  }
}
