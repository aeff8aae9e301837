import { events } from '@session-stores/core'
import { listed } from '@session-stores/testbed/rows'
import { expect } from 'vitest'
import { openDriver } from '../../../token/test/support/places.ts'
import { codeOf } from '../../../token/test/support/tokens.ts'
import { SECRET, send } from '../support/site.ts'
import { bearer, type MakePlace, openSite } from './site.ts'

/** Returns every text and number in a value, however deep. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string' || typeof value === 'number') return [`${value}`]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [name, ...stringsOf(inner)])
}

export async function dumps(makePlace: MakePlace, cookieName: string): Promise<void> {
  const place = makePlace()
  const { tokens, open, origin, userOf, statusOf } = await openSite(place)
  const browser = await open('ada')
  await tokens.grant({ userId: 'ada' }, { client: 'cli' })
  expect(await userOf(browser.cookieFor(origin))).toBe('ada')
  const driver = openDriver(place)
  await driver.setup?.()
  const rows = await driver.read(await listed(driver, 100))
  await driver.close()
  expect(rows).toHaveLength(2)
  const stored = new Set(rows.flatMap((row) => stringsOf([row, JSON.parse(row.data!)])))
  expect(stored.size).toBeGreaterThan(10)
  for (const text of stored) {
    for (const value of [text, `s:${text}`, `s:${text}.`, `s:${text}.${text}`])
      expect(await userOf(`${cookieName}=${encodeURIComponent(value)}`), text).toBeNull()
    if (/^[!-~]+$/.test(text)) expect(await statusOf(text), text).toBe(401)
    for (const token of [text, `rt_${text}`])
      expect(await codeOf(tokens.refresh(token)), text).toMatch(/^(MALFORMED|INVALID)$/)
  }
}

export async function looksIntoUrlsAndMessages(makePlace: MakePlace): Promise<void> {
  const { store, tokens, origin, open, statusOf } = await openSite(makePlace())
  const cookie = (await open('ada')).cookieFor(origin)
  const { accessToken, refreshToken } = await tokens.grant({ userId: 'eve' }, { client: 'cli' })
  const seen: unknown[] = []
  const listen = (message: unknown) => void seen.push(message)
  for (const channel of Object.values(events)) channel.subscribe(listen)
  try {
    expect((await send(`${origin}/api?access_token=${accessToken}`)).status).toBe(401)
    expect(
      (
        await send(`${origin}/token?grant_type=refresh_token&refresh_token=${refreshToken}`, {
          method: 'POST',
        })
      ).status,
    ).toBe(401)
    const tampered = `${accessToken.slice(0, -2)}AA`
    const { body, headers } = await send(`${origin}/api`, { headers: bearer(tampered) })
    seen.push(body, headers)
    await tokens.refresh(refreshToken)
    seen.push(
      await tokens
        .refresh(`${refreshToken.slice(0, -2)}AA`)
        .catch((error) => [error.message, error.stack, error.cause]),
    )
    await store.revokeUser('eve')
    expect(await statusOf(accessToken)).toBe(401)
    seen.push(await tokens.verify(accessToken).catch((error) => [error.message, error.stack, error.cause]))
  } finally {
    for (const channel of Object.values(events)) channel.unsubscribe(listen)
  }
  const shown = JSON.stringify(seen)
  const id = decodeURIComponent(cookie).split(':')[1]!.split('.')[0]!
  for (const secret of [...accessToken.split('.'), refreshToken, refreshToken.slice(3, 30), id, SECRET])
    expect(shown).not.toContain(secret)
}
