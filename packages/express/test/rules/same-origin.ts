import { describe, expect, test } from 'vitest'
import type { SameOriginOptions } from '../../src/index.ts'
import type { Host } from '../support/host.ts'
import { send, serve } from '../support/site.ts'

const COOKIE = { cookie: 'a=b' }

/** Declares the rules of `sameOrigin` under a framework. */
export function declareSameOrigin(host: Host): void {
  const openApp = async (checksOrigin: SameOriginOptions = {}): Promise<string> =>
    serve(await host.open({ checksOrigin, routes: { 'ALL /': () => {} } }))

  describe(`on ${host.name}, a request`, () => {
    const ask = (origin: string, method: string, headers: Record<string, string>) =>
      send(origin, { method, headers: { ...COOKIE, ...headers } }).then(({ status }) => status)

    test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE'])(
      '%s is judged by Sec-Fetch-Site first',
      async (method) => {
        const origin = await openApp()
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
      const origin = await openApp()
      expect(
        await ask(origin, method, { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }),
      ).toBe(200)
    })

    test('of an older browser is judged by Origin', async () => {
      const listener = await host.open({ routes: { 'ALL /': () => {} } })
      const origin = await serve((req, res) => {
        delete req.headers['sec-fetch-site']
        listener(req, res)
      })
      const { host: name } = new URL(origin)
      for (const [sent, status] of [
        [origin, 200],
        [`https://${name}`, 200],
        ['https://evil.example', 403],
        ['null', 403],
        ['', 403],
        [`https://${name}.evil.example`, 403],
        [`https://evil.example?${name}`, 403],
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
      const origin = await openApp({ trusted: ['https://app.example'] })
      const from = (sent: string) => ask(origin, 'POST', { 'sec-fetch-site': 'cross-site', origin: sent })
      expect([
        await from('https://app.example'),
        await from('https://app.example.evil'),
        await from('http://app.example'),
      ]).toEqual([200, 403, 403])
    })

    test('with a Bearer token passes, and with Basic does not, because browsers send that by themselves', async () => {
      const origin = await openApp()
      const headers = { 'sec-fetch-site': 'cross-site' }
      expect(await ask(origin, 'POST', { ...headers, authorization: 'Bearer x' })).toBe(200)
      expect(await ask(origin, 'POST', { ...headers, authorization: 'Basic x' })).toBe(403)
    })
  })
}
