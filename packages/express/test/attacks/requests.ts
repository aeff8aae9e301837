import { expect } from 'vitest'
import { SID, send } from '../support/site.ts'
import { bearer, type MakePlace, openSite } from './site.ts'

export async function plantsACookie(makePlace: MakePlace): Promise<void> {
  const { store, open, origin, userOf } = await openSite(makePlace())
  const attacker = await open()
  await attacker.post('/cart')
  const planted = attacker.cookies.get(SID)!
  const victim = await open()
  victim.cookies.set(SID, planted)
  await victim.post('/sign-in')
  expect(victim.cookies.get(SID)).not.toBe(planted)
  expect([await userOf(`${SID}=${planted}`), await userOf(victim.cookieFor(origin))]).toEqual([null, 'ada'])
  // A cookie that is planted beside the right one counts for nothing, and signs nobody out.
  const both = await send(origin, { headers: { cookie: `${victim.cookieFor(origin)}; ${SID}=${planted}` } })
  expect([both.status, both.cookies]).toEqual([400, []])
  expect(await store.length()).toBe(1)
}

export async function sendsFromAnotherSite(makePlace: MakePlace): Promise<void> {
  const { store, open, origin } = await openSite(makePlace())
  const browser = await open('ada')
  const cookie = browser.cookieFor(origin)
  const senders: Record<string, string>[] = [
    { cookie },
    { cookie, origin: 'null' },
    { cookie, origin: 'https://evil.example' },
  ]
  for (const path of ['/sign-in?user=eve', '/sign-out', '/cart', '/token', '/revoke', '/api'])
    for (const method of ['POST', 'PUT', 'DELETE'])
      for (const site of ['cross-site', 'same-site', ''])
        for (const sent of senders)
          expect(
            (await send(origin + path, { method, headers: { ...sent, 'sec-fetch-site': site } })).status,
            `${method} ${path}`,
          ).toBe(403)
  const elsewhere = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
  expect((await send(`${origin}/sign-in?user=eve`, { method: 'POST', headers: elsewhere })).status).toBe(403)
  expect((await store.list()).sessions.map(({ session }) => session.userId)).toEqual(['ada'])
}

export async function sendsTwoCredentials(makePlace: MakePlace): Promise<void> {
  const { tokens, open, origin } = await openSite(makePlace())
  const cookie = (await open('ada')).cookieFor(origin)
  const { accessToken } = await tokens.grant({ userId: 'eve' }, { client: 'cli' })
  const ask = async (headers: Record<string, string>) => {
    const { status, body } = await send(`${origin}/api`, { headers })
    return status === 200 ? JSON.parse(body).auth.user : status
  }
  expect(await ask({ cookie })).toBe('ada')
  expect(await ask({ cookie, ...bearer(accessToken) })).toBe('eve')
  expect(await ask({ cookie, ...bearer(`${accessToken.slice(0, -2)}AA`) })).toBe(401)
  expect(await ask({ cookie, authorization: 'Bearer' })).toBe(401)
  expect(await ask({ cookie: `${cookie}; ${cookie}`, ...bearer(accessToken) })).toBe(400)
}
