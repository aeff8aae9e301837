import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryDriver, SessionStore } from '@session-stores/core'
import { sessions, signIn, tokenRoutes } from '@session-stores/express'
import { selfSigned } from '@session-stores/testbed'
import { after } from '@session-stores/testbed/vitest'
import { generateKey, Tokens } from '@session-stores/token'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../command.ts'
import { doctor, expectFound, expectHealthy } from '../doctor.ts'

/** What a page of a site sends that has no fault. */
const GOOD = {
  cookie: '__Host-sid=s%3Athe-id-of-the-session.signature; Path=/; HttpOnly; Secure; SameSite=Lax',
  cache: 'no-store',
  hsts: 'max-age=31536000',
  jwks: '{"keys":[{"kid":"1","kty":"OKP","crv":"Ed25519","x":"public"}]}',
  jwksCache: 'public, max-age=300',
}

/** Answers as `GOOD` says, with the changes of a fault. */
function answerWith(fault: Partial<typeof GOOD>): RequestListener {
  const { cookie, cache, hsts, jwks, jwksCache } = { ...GOOD, ...fault }
  return (req: IncomingMessage, res: ServerResponse) => {
    if (hsts) res.setHeader('Strict-Transport-Security', hsts)
    if (req.url === '/.well-known/jwks.json') {
      if (jwksCache) res.setHeader('Cache-Control', jwksCache)
      if (jwks === '') res.statusCode = 404
      return res.end(jwks)
    }
    if (req.url === '/') return res.writeHead(302, { location: '/sign-in' }).end()
    if (cache) res.setHeader('Cache-Control', cache)
    if (cookie) res.setHeader('Set-Cookie', ['theme=dark', cookie])
    res.end('hello')
  }
}

/** The faults of a site. */
export function declareSite(): void {
  describe('doctor on a site', () => {
    let folder: string
    let files: { cert: string; key: string }
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
      files = selfSigned(folder)
    })
    afterAll(() => rmSync(folder, { recursive: true }))
    const env = () => ({ NODE_EXTRA_CA_CERTS: files.cert })

    async function serve(listener: RequestListener): Promise<string> {
      const server = createServer({ cert: readFileSync(files.cert), key: readFileSync(files.key) }, listener)
      after(() => server.closeAllConnections())
      after(() => server.close())
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    }

    test('says that a site with the preset of @session-stores/express is healthy', async () => {
      const store = new SessionStore(memoryDriver(), { pruneInterval: false, user: () => 'ann' })
      const tokens = new Tokens({
        store,
        issuer: 'https://127.0.0.1',
        audience: 'https://127.0.0.1',
        secret: [crypto.getRandomValues(new Uint8Array(32))],
        keys: [generateKey()],
      })
      after(() => tokens.close())
      const app = express()
      app.use((_req, res, next) => {
        res.setHeader('Strict-Transport-Security', GOOD.hsts)
        next()
      })
      app.use(sessions({ store, secret: 'jT7PqE2vXr9WmKf4LzB8nYcD5sGhA1uQ' }))
      app.use(tokenRoutes(tokens))
      app.get('/', async (req, res) => {
        await signIn(req, {})
        res.send('hello')
      })
      const { stdout } = await expectHealthy(['--site', `${await serve(app)}/`], env())
      expect(stdout).not.toContain('not checked')
    })

    test.each([
      ['site/secure', { cookie: 'sid=s%3Aid.sig; Path=/; HttpOnly; SameSite=Lax' }, ['site/host-prefix']],
      ['site/http-only', { cookie: GOOD.cookie.replace('HttpOnly; ', '') }, []],
      ['site/same-site', { cookie: GOOD.cookie.replace('Lax', 'None') }, []],
      ['site/host-prefix', { cookie: GOOD.cookie.replace('__Host-sid', 'connect.sid') }, []],
      ['site/host-prefix', { cookie: `${GOOD.cookie}; Domain=example.com` }, []],
      ['site/no-store', { cache: 'private' }, []],
      ['site/hsts', { hsts: 'max-age=600' }, []],
      ['site/jwks-cache', { jwksCache: 'max-age=86400' }, []],
      ['site/jwks-keys', { jwks: '{"keys":[{"kty":"OKP","x":"public"}]}' }, []],
      ['site/jwks-private', { jwks: '{"keys":[{"kid":"1","kty":"OKP","x":"public","d":"private"}]}' }, []],
    ])('finds %s with %j', async (id, fault, others) => {
      const site = await serve(answerWith(fault))
      const report = await expectFound([id, ...others], ['--site', site], env())
      expect(JSON.stringify(report)).not.toContain('the-id-of-the-session')
    })

    test('finds site/http', async () => {
      const { createServer: createHttpServer } = await import('node:http')
      const server = createHttpServer(answerWith({}))
      after(() => server.close())
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      await expectFound(['site/http'], ['--site', site])
    })

    test('says what it did not check, and looks for the cookie that is named', async () => {
      const site = await serve(answerWith({ cookie: 'mine=1; Path=/', jwks: '' }))
      const { code, report } = await doctor(['--site', site], env())
      expect(code).toBe(0)
      expect(report.skipped.map(({ id }) => id)).toEqual(
        expect.arrayContaining(['site/secure', 'site/no-store', 'site/jwks-keys']),
      )
      await expectFound(
        ['site/secure', 'site/http-only', 'site/same-site', 'site/host-prefix'],
        ['--site', site, '--cookie', 'mine'],
        env(),
      )
    })

    test('cannot check a site whose certificate is not trusted', async () => {
      const outcome = await runCommand(['doctor', '--site', await serve(answerWith({}))])
      expect(outcome.code).toBe(2)
      expect(outcome.stdout).toMatch(/^FAILED https:\/\/127\.0\.0\.1:\d+ cannot be reached: .*self-signed/m)
    })
  })
}
