import { expect } from 'vitest'
import { openForTest, tokensForTest } from '../../../token/test/support/databases.ts'
import { startProcess } from '../../../token/test/support/process.ts'
import { codeOf } from '../../../token/test/support/tokens.ts'
import { GRACE, type MakePlace, openSite } from './site.ts'

export async function usesAStolenToken(makePlace: MakePlace): Promise<void> {
  const clock = { now: Date.now() }
  const { tokens, store } = await openSite(makePlace(), {}, { now: () => clock.now })
  for (const thiefIsFirst of [true, false]) {
    const { refreshToken: stolen } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    clock.now += 3 * GRACE
    const first = await tokens.refresh(stolen)
    await tokens.verify(first.accessToken)
    await expect
      .poll(async () => (await store.list()).sessions[0]!.session.tokenFamily!.seen, { timeout: 30_000 })
      .not.toBeNull()
    clock.now += GRACE + 1
    expect(await codeOf(tokens.refresh(stolen)), `${thiefIsFirst}`).toBe('REUSED')
    expect(await codeOf(tokens.refresh(first.refreshToken))).toBe('REVOKED')
    expect(await codeOf(tokens.verify(first.accessToken))).toBe('REVOKED')
  }
}

export async function refreshesManyTimesAtOnce(makePlace: MakePlace): Promise<void> {
  const place = makePlace()
  const early = tokensForTest(openForTest(place, { now: () => Date.now() - 4 * GRACE }))
  const { refreshToken } = await early.grant({ userId: 'ada' }, { client: 'cli' })
  const { tokens } = await openSite(place)
  const there = await startProcess(place)
  type Refreshed = { refreshToken: string; rotated: boolean }
  const all = (
    await Promise.all([
      there<Refreshed>({ call: 'refresh', token: refreshToken, times: 100 }),
      Promise.all(Array.from({ length: 100 }, () => tokens.refresh(refreshToken))),
    ])
  ).flat()
  expect(all.filter(({ rotated }) => rotated)).toHaveLength(1)
  expect(new Set(all.map((answer) => answer.refreshToken)).size).toBe(1)
}
