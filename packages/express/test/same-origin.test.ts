import type express from 'express'
import { describe, expect, test } from 'vitest'
import { type SameOriginOptions, sameOrigin } from '../src/index.ts'
import { send, serve, showErrors, versions } from './support/site.ts'

const COOKIE = { cookie: 'a=b' }

async function openApp(make: typeof express, options?: SameOriginOptions): Promise<string> {
  const app = make()
  app.set('trust proxy', 'loopback')
  app.use(sameOrigin(options))
  app.use((_req, res) => void res.end())
  return serve(showErrors(app))
}

describe.each(versions)('on %s, a request', (_version, make) => {
  const ask = (origin: string, method: string, headers: Record<string, string>) =>
    send(origin, { method, headers: { ...COOKIE, ...headers } }).then(({ status }) => status)

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE'])(
    '%s is judged by Sec-Fetch-Site first',
    async (method) => {
      const origin = await openApp(make)
      for (const [site, status] of [
        ['same-origin', 200],
        ['none', 200],
        ['same-site', 403],
        ['cross-site', 403],
        ['', 403],
        ['Same-Origin', 403],
      ] as const)
        expect(await ask(origin, method, { 'sec-fetch-site': site }), site).toBe(status)
      // The own origin does not help a request that the browser calls cross-site.
      expect(await ask(origin, method, { 'sec-fetch-site': 'cross-site', origin })).toBe(403)
    },
  )

  test.each(['GET', 'HEAD', 'OPTIONS'])('%s passes', async (method) => {
    const origin = await openApp(make)
    expect(
      await ask(origin, method, { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }),
    ).toBe(200)
  })

  test('of an older browser is judged by Origin', async () => {
    const app = make()
    app.set('trust proxy', 'loopback')
    app.use((req, _res, next) => {
      delete req.headers['sec-fetch-site']
      next()
    }, sameOrigin())
    app.use((_req, res) => void res.end())
    const origin = await serve(showErrors(app))
    const { host } = new URL(origin)
    for (const [sent, status] of [
      [origin, 200],
      [`https://${host}`, 200],
      ['https://evil.example', 403],
      ['null', 403],
      ['', 403],
      [`https://${host}.evil.example`, 403],
      [`https://evil.example?${host}`, 403],
    ] as const)
      expect(await ask(origin, 'POST', { origin: sent }), sent).toBe(status)
    expect(
      await ask(origin, 'POST', { origin: 'https://site.example', 'x-forwarded-host': 'site.example' }),
    ).toBe(200)
    // It says neither, and has a cookie.
    expect(await ask(origin, 'POST', {})).toBe(403)
    // It is no browser, or has nothing to lose.
    expect((await send(origin, { method: 'POST' })).status).toBe(200)
  })

  test('of a trusted origin passes, and of one that only begins like it does not', async () => {
    const origin = await openApp(make, { trusted: ['https://app.example'] })
    const from = (sent: string) => ask(origin, 'POST', { 'sec-fetch-site': 'cross-site', origin: sent })
    expect([
      await from('https://app.example'),
      await from('https://app.example.evil'),
      await from('http://app.example'),
    ]).toEqual([200, 403, 403])
  })

  test('with a Bearer token passes, and with Basic does not, because browsers send that by themselves', async () => {
    const origin = await openApp(make)
    const headers = { 'sec-fetch-site': 'cross-site' }
    expect(await ask(origin, 'POST', { ...headers, authorization: 'Bearer x' })).toBe(200)
    expect(await ask(origin, 'POST', { ...headers, authorization: 'Basic x' })).toBe(403)
  })
})

test.each([['https://app.example/'], ['app.example'], ['https://app.example/path'], ['*'], [1]])(
  'the trusted origin %s is refused',
  (trusted) => {
    expect(() => sameOrigin({ trusted: [trusted] as string[] })).toThrow(
      /'trusted' takes an array of origins/,
    )
  },
)
