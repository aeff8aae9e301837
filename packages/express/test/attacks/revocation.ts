import { expect } from 'vitest'
import { startProcess } from '../../../token/test/support/process.ts'
import { codeOf } from '../../../token/test/support/tokens.ts'
import { send } from '../support/site.ts'
import { type MakePlace, openSite } from './site.ts'

export async function usesATokenAfterTheEnd(makePlace: MakePlace): Promise<void> {
  const place = makePlace()
  const { store, open, tokenOf, tokens, origin } = await openSite(place, {
    keys: undefined,
    freshness: 1000,
  })
  const there = await startProcess(place)
  for (const end of ['/sign-out', '/sign-out-everywhere', 'password']) {
    const browser = await open('ada')
    const issued = [await tokenOf(browser.cookieFor(origin))]
    if (end !== '/sign-out')
      issued.push((await tokens.grant({ userId: 'ada' }, { client: 'cli' })).accessToken)
    expect(await there({ call: 'verify', tokens: issued, freshness: 0 })).toEqual(issued.map(() => 'valid'))
    if (end === 'password') await store.revokeUser('ada')
    else await browser.post(end)
    expect(await there({ call: 'verify', tokens: issued, freshness: 0 })).toEqual(issued.map(() => 'REVOKED'))
    for (const token of issued) expect(await codeOf(tokens.verify(token))).toBe('REVOKED')
    // Who never asks the store learns of it when the token expires.
    expect(await there({ call: 'verify', tokens: issued, freshness: false })).toEqual(
      issued.map(() => 'valid'),
    )
  }
}

export async function waitsForALateAnswer(makePlace: MakePlace): Promise<void> {
  const { store, open, origin, userOf, hold } = await openSite(makePlace())
  for (const path of ['/late-token?slow=1', '/cart?slow=1']) {
    const browser = await open('ada')
    const cookie = browser.cookieFor(origin)
    const gate = hold()
    const late = send(origin + path, { method: 'POST', headers: { cookie } })
    await gate.entered.promise
    await browser.post('/sign-out')
    gate.released.resolve()
    const { status, body, cookies } = await late
    if (path.startsWith('/late')) expect([status, JSON.parse(body)]).toEqual([401, { code: 'NOT_SIGNED_IN' }])
    for (const line of [cookie, ...cookies.map((set) => set.split(';')[0]!)])
      expect(await userOf(line)).toBeNull()
    expect(await store.length()).toBe(0)
  }
}

export async function refreshesBesideARevocation(makePlace: MakePlace): Promise<void> {
  const { tokens, store } = await openSite(makePlace())
  await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const { refreshToken } = await tokens.grant({ userId: `user-${i}` }, { client: 'cli' })
      const [refreshed] = await Promise.all([
        codeOf(tokens.refresh(refreshToken)),
        i % 2 ? tokens.revoke(refreshToken) : store.revokeUser(`user-${i}`),
      ])
      if (refreshed !== 'REVOKED')
        expect(await codeOf(tokens.verify((refreshed as { accessToken: string }).accessToken))).toBe(
          'REVOKED',
        )
    }),
  )
  expect(await store.length()).toBe(0)
}
