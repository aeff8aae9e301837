import { expect, it } from 'vitest'
import { type ReuseEvent, reuse, type Tokens } from '../src/index.ts'
import { describeOnDatabases, openForTest, tokensForTest } from './support/databases.ts'
import type { Place } from './support/places.ts'
import { startProcess } from './support/process.ts'
import { codeOf } from './support/tokens.ts'

/** Refresh tokens on the real stores: one successor for each generation, and the end after a reuse. */

const GRACE = 30_000

interface Clock {
  now: number
}

function open(place: Place, clock: Clock = { now: Date.now() }) {
  const store = openForTest(place, { now: () => clock.now })
  return { store, clock, tokens: tokensForTest(store) }
}

/** Lets a refresh token grow old enough to be replaced, by the clock. */
async function rotate(tokens: Tokens, clock: Clock, token: string): Promise<string> {
  clock.now += 3 * GRACE
  const { refreshToken, rotated } = await tokens.refresh(token)
  expect(rotated).toBe(true)
  return refreshToken
}

describeOnDatabases('refresh tokens', (makePlace) => {
  it('1,000 refreshes at once, in two processes, rotate once and have one successor', async () => {
    const place = makePlace()
    // The token is old enough to be replaced now, by the clock of the other process, too.
    const { tokens } = open(place, { now: Date.now() - 4 * GRACE })
    const { refreshToken: token } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    const here = open(place)
    const send = await startProcess(place)
    type Refreshed = { refreshToken: string; rotated: boolean }
    const answers = await Promise.all([
      send<Refreshed>({ call: 'refresh', token, times: 500 }),
      Promise.all(Array.from({ length: 500 }, () => here.tokens.refresh(token))),
    ])
    const all = answers.flat()
    expect(all).toHaveLength(1000)
    expect(all.filter((answer) => typeof answer !== 'object')).toEqual([])
    expect(all.filter(({ rotated }) => rotated)).toHaveLength(1)
    expect(new Set(all.map(({ refreshToken }) => refreshToken)).size).toBe(1)
    expect(all[0]!.refreshToken).not.toBe(token)
  })

  it('a process whose clock is behind does not end the grace period when it notes a use', async () => {
    const place = makePlace()
    const { store, clock, tokens } = open(place)
    const { refreshToken: first } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    clock.now += 3 * GRACE
    const { accessToken, refreshToken: second } = await tokens.refresh(first)
    const behind = open(place, { now: clock.now - GRACE - 1000 })
    await behind.tokens.verify(accessToken)
    await expect.poll(async () => (await store.list()).sessions[0]!.session.tokenFamily!.seen).not.toBe(null)
    // Another tab of the client has sent the first token at the same time.
    expect(await tokens.refresh(first)).toMatchObject({ refreshToken: second, rotated: false })
  })

  it('each of 20 superseded generations ends the family, once its successor was used', async () => {
    const { store, clock, tokens } = open(makePlace())
    const events: ReuseEvent[] = []
    const listen = (message: unknown) => void events.push(message as ReuseEvent)
    reuse.subscribe(listen)
    for (let old = 0; old < 20; old++) {
      const grant = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
      const all = [grant.refreshToken]
      for (let n = 1; n <= 20; n++) all.push(await rotate(tokens, clock, all.at(-1)!))
      const { accessToken } = await tokens.refresh(all[20]!)
      await tokens.verify(accessToken)
      await expect
        .poll(async () => (await store.list()).sessions[0]!.session.tokenFamily!.seen)
        .not.toBeNull()
      clock.now += GRACE + 1
      expect(await codeOf(tokens.refresh(all[old]!))).toBe('REUSED')
      for (const token of all) expect(await codeOf(tokens.refresh(token))).toBe('REVOKED')
      expect(await codeOf(tokens.verify(accessToken, { freshness: 0 }))).toBe('REVOKED')
      expect(await store.length()).toBe(0)
    }
    reuse.unsubscribe(listen)
    expect(events).toHaveLength(20)
    expect(events[0]).toEqual({ handle: expect.stringMatching(/^[\w-]{43}$/), client: 'cli' })
  })

  it('every pair of generations: an older one than the last but one never works', async () => {
    const { clock, tokens } = open(makePlace())
    for (let newest = 2; newest <= 5; newest++)
      for (let old = 0; old < newest - 1; old++) {
        const grant = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
        const all = [grant.refreshToken]
        for (let n = 1; n <= newest; n++) all.push(await rotate(tokens, clock, all.at(-1)!))
        expect(await codeOf(tokens.refresh(all[old]!))).toBe('REUSED')
        expect(await codeOf(tokens.refresh(all[newest]!))).toBe('REVOKED')
      }
  })

  it('an answer that was lost is given again, until the client has used it', async () => {
    const { clock, tokens } = open(makePlace())
    const { refreshToken: first } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    const second = await rotate(tokens, clock, first)
    // An hour later, the client has only the first one still.
    clock.now += 3_600_000
    expect(await tokens.refresh(first)).toMatchObject({ refreshToken: second, rotated: false })
    // It is on its way once more, so it is not replaced before it can have arrived.
    expect(await tokens.refresh(second)).toMatchObject({ refreshToken: second, rotated: false })
    clock.now += 3 * GRACE
    expect(await tokens.refresh(second)).toMatchObject({ rotated: true })
  })

  it('a family ends when it is not used, and in any case at its end', async () => {
    const { store, clock, tokens } = open(makePlace())
    const DAY = 86_400_000
    const { refreshToken: idle } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    clock.now += 30 * DAY
    expect(await codeOf(tokens.refresh(idle))).toBe('REVOKED')
    const begun = clock.now
    let { refreshToken: used } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    for (let day = 0; day < 80; day += 20) {
      clock.now += 20 * DAY
      used = (await tokens.refresh(used)).refreshToken
    }
    const { sessions } = await store.list({ user: 'ada' })
    expect(sessions.map(({ expiresAt }) => expiresAt)).toEqual([begun + 90 * DAY])
    clock.now = begun + 90 * DAY
    expect(await codeOf(tokens.refresh(used))).toBe('REVOKED')
  })

  it('a family is listed and revoked as a session of its user', async () => {
    const { store, tokens } = open(makePlace())
    const { refreshToken, accessToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    const { sessions } = await store.list({ user: 'ada' })
    expect(sessions).toHaveLength(1)
    expect(sessions[0]!.session.tokenFamily).toMatchObject({ client: 'cli', n: 0 })
    expect(await store.revoke(sessions[0]!.handle, { user: 'ada' })).toBe(true)
    expect(await codeOf(tokens.refresh(refreshToken))).toBe('REVOKED')
    expect(await codeOf(tokens.verify(accessToken))).toBe('REVOKED')
  })
})
