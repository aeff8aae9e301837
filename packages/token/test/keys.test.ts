import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from '@session-stores/testbed/vitest'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { expect, it } from 'vitest'
import { generateKey, type Tokens } from '../src/index.ts'
import { openInMemory, tokensForTest } from './support/databases.ts'
import { AUDIENCE, codeOf, ISSUER } from './support/tokens.ts'

/** How long the other service keeps the keys, in milliseconds: 10 minutes in real life. */
const CACHE = 300

it('keys rotate while another service verifies, and no valid token is refused', async () => {
  const store = openInMemory()
  const [first, second] = [generateKey(), generateKey('Ed25519')]
  const use = (...keys: string[]) => tokensForTest(store, { keys })
  let tokens: Tokens = use(first)
  let fetches = 0
  const server = createServer(async (_req, res) => {
    fetches++
    res.setHeader('Content-Type', 'application/json')
    res.end(JSON.stringify(await tokens.jwks()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const keys = createRemoteJWKSet(url, { cacheMaxAge: CACHE, cooldownDuration: CACHE / 10 })
  const verifyElsewhere = (token: string) =>
    jwtVerify(token, keys, {
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: 'at+jwt',
      algorithms: ['ES256', 'Ed25519'],
    })

  const issued: string[] = []
  /** Issues and verifies tokens until the other service has fetched the keys once more. */
  async function work(): Promise<void> {
    const before = fetches
    let verified = 0
    while (fetches === before || verified < 100) {
      const { accessToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
      issued.push(accessToken)
      // One that was issued in an earlier phase, too.
      for (const token of [accessToken, issued[Math.floor(Math.random() * issued.length)]!]) {
        await tokens.verify(token)
        await verifyElsewhere(token)
      }
      verified++
    }
  }

  await work()
  tokens = use(first, second)
  await work()
  tokens = use(second, first)
  await work()
  const old = issued[0]!
  const { accessToken: current } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
  // After `lifetime`, no token of the first key is valid any more, so the key is dropped.
  tokens = use(second)
  expect(await codeOf(tokens.verify(old))).toBe('INVALID')
  const before = fetches
  while (fetches === before) await verifyElsewhere(current)
  expect(await codeOf(verifyElsewhere(old))).toBe('ERR_JWKS_NO_MATCHING_KEY')
  await verifyElsewhere(current)
})

it('the keys that are published are public, and have one kid each', async () => {
  const tokens = tokensForTest(openInMemory(), { keys: [generateKey(), generateKey('Ed25519')] })
  const { keys } = await tokens.jwks()
  expect(keys.map((key) => [key.alg, key.use, 'd' in key])).toEqual([
    ['ES256', 'sig', false],
    ['Ed25519', 'sig', false],
  ])
  expect(new Set(keys.map(({ kid }) => kid)).size).toBe(2)
  expect(await tokensForTest(openInMemory()).jwks()).toEqual({ keys: [] })
})
