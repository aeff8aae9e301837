import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type CallEvent, events } from '@session-stores/core'
import { expect } from 'vitest'
import { openForTest, tokensForTest } from '../../../token/test/support/databases.ts'
import { codeOf } from '../../../token/test/support/tokens.ts'
import { decode, encode, type MakePlace, openSite } from './site.ts'

export async function usesWrongClocks(makePlace: MakePlace): Promise<void> {
  const place = makePlace()
  const clock = { now: Date.now() }
  const on = (skew: number) =>
    tokensForTest(openForTest(place, { now: () => clock.now + skew }), { freshness: 1000 })
  const [behind, ahead] = [on(-60_000), on(60_000)]
  for (const [here, there] of [
    [behind, ahead],
    [ahead, behind],
  ] as const) {
    const { accessToken, refreshToken } = await here.grant({ userId: 'ada' }, { client: 'cli' })
    await there.verify(accessToken)
    clock.now += 300_000
    await there.verify((await there.refresh(refreshToken)).accessToken)
    // What was known before the clock was set back says nothing now.
    clock.now -= 3_600_000
    await here.revoke(refreshToken)
    expect(await codeOf(there.verify(accessToken))).toBe('REVOKED')
    clock.now += 3_600_000
  }
}

export async function floods(makePlace: MakePlace): Promise<void> {
  const { tokens } = await openSite(makePlace(), { cacheSize: 100 })
  const { accessToken, refreshToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
  const [header, body, signature] = accessToken.split('.')
  let calls = 0
  const count = (message: unknown) => {
    if ((message as CallEvent).verb !== 'prune') calls++
  }
  events.call.subscribe(count)
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  try {
    collect()
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < 5000; i++) {
      const kid = randomBytes(16).toString('hex')
      const forged = `${encode({ ...decode(accessToken, 0), kid })}.${body}.${signature}`
      expect(await codeOf(tokens.verify(forged))).toBe('INVALID')
      expect(await codeOf(tokens.verify(`${header}.${'A'.repeat(3500)}${i}.${signature}`))).toBe('INVALID')
      expect(await codeOf(tokens.verify('A'.repeat(100_000)))).toBe('MALFORMED')
      expect(
        await codeOf(
          tokens.refresh(`${refreshToken.slice(0, 40)}${randomBytes(20).toString('hex').slice(0, 27)}`),
        ),
      ).toBe('INVALID')
    }
    collect()
    expect(calls).toBe(0)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000)
  } finally {
    events.call.unsubscribe(count)
  }
}
