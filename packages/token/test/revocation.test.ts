import { events, type SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { expect, it } from 'vitest'
import { recordCalls } from './support/calls.ts'
import { describeOnDatabases, openForTest, tokensForTest } from './support/databases.ts'
import { startProcess } from './support/process.ts'
import { codeOf } from './support/tokens.ts'

/** How fast a sign-out is seen by whoever verifies access tokens, and what that costs. */

const MANY = 10_000
const AT_ONCE = 250

/** Runs `act` for each number below `count`, a few hundred at once. */
async function inChunks<T>(count: number, act: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let from = 0; from < count; from += AT_ONCE) {
    const chunk = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => act(from + i))
    results.push(...(await Promise.all(chunk)))
  }
  return results
}

/** Counts the reads of the database while `act` runs. */
const countReads = async (act: () => Promise<unknown>): Promise<number> =>
  (await recordCalls(act)).filter(({ verb }) => verb === 'read').length

const makeSession = (store: SessionStore, id: string, userId = 'ada') =>
  store.set(id, { cookie: { originalMaxAge: null }, userId } as SessionData)

describeOnDatabases('revocation', (makePlace) => {
  it(`${MANY} sign-outs are seen by the next request of another process, with freshness 0`, async () => {
    const place = makePlace()
    const store = openForTest(place)
    const tokens = tokensForTest(store, { freshness: 0 })
    const send = await startProcess(place)
    let accepted = 0
    let before = 0
    for (let from = 0; from < MANY; from += AT_ONCE) {
      const ids = Array.from({ length: AT_ONCE }, (_, i) => `session-${from + i}`)
      const issued = await Promise.all(
        ids.map(async (id) => {
          await makeSession(store, id)
          return (await tokens.fromSession({ sessionID: id })).accessToken
        }),
      )
      const alive = await send({ call: 'verify', tokens: issued, freshness: 0 })
      before += alive.filter((answer) => answer === 'valid').length
      await Promise.all(ids.map((id) => store.destroy(id)))
      const there = await send({ call: 'verify', tokens: issued, freshness: 0 })
      const here = await Promise.all(issued.map((token) => codeOf(tokens.verify(token))))
      accepted += [...there, ...here].filter((answer) => answer !== 'REVOKED').length
    }
    expect([before, accepted]).toEqual([MANY, 0])
  })

  it('in the process of the sign-out, the next request is refused, whatever the freshness', async () => {
    const store = openForTest(makePlace())
    const tokens = tokensForTest(store, { freshness: 60_000 })
    const results = await inChunks(1000, async (i) => {
      const id = `session-${i}`
      await makeSession(store, id, `user-${i}`)
      const { accessToken } = await tokens.fromSession({ sessionID: id })
      await tokens.verify(accessToken)
      // A verification that began before the sign-out must not bring its knowledge back.
      const reading = codeOf(tokens.verify(accessToken, { freshness: 0 }))
      if (i % 3 === 0) await store.destroy(id)
      else if (i % 3 === 1) await store.revoke(store.handle(id))
      else await store.revokeUser(`user-${i}`)
      const after = await codeOf(tokens.verify(accessToken))
      await reading
      return [after, await codeOf(tokens.verify(accessToken))]
    })
    expect(results.flat().filter((code) => code !== 'REVOKED')).toEqual([])
  })

  it('with freshness 1000, another process refuses the token a second later', async () => {
    const place = makePlace()
    const clock = { now: Date.now() }
    const now = () => clock.now
    const [store, other] = [openForTest(place, { now }), openForTest(place, { now })]
    // The two stores stand for two processes: a sign-out is published to this process alone.
    const tokens = tokensForTest(other)
    const unhear = events.ended.publish
    events.ended.publish = () => {}
    try {
      for (let i = 0; i < 50; i++) {
        await makeSession(store, `session-${i}`)
        const { accessToken } = await tokens.fromSession({ sessionID: `session-${i}` })
        await tokens.verify(accessToken)
        clock.now += 20 * i
        await store.destroy(`session-${i}`)
        expect(await codeOf(tokens.verify(accessToken))).toMatchObject({ sub: 'ada' })
        clock.now += 1000 - 20 * i
        expect(await codeOf(tokens.verify(accessToken))).toBe('REVOKED')
      }
    } finally {
      events.ended.publish = unhear
    }
  })

  it('with freshness false, nobody accepts a token after its lifetime, and nobody asks the store', async () => {
    const clock = { now: Date.now() }
    const store = openForTest(makePlace(), { now: () => clock.now })
    const tokens = tokensForTest(store, { freshness: false })
    await makeSession(store, 'session')
    const { accessToken, expiresIn } = await tokens.fromSession({ sessionID: 'session' })
    await store.destroy('session')
    const reads = await countReads(async () => {
      for (let i = 0; i < 100; i++) await tokens.verify(accessToken)
    })
    expect(reads).toBe(0)
    expect(expiresIn).toBeLessThanOrEqual(300)
    clock.now += 300_000 + 5000 + 1000
    expect(await codeOf(tokens.verify(accessToken))).toBe('EXPIRED')
    expect(await codeOf(tokensForTest(store, { freshness: false }).verify(accessToken))).toBe('EXPIRED')
  })

  it('a session that is asked about 100 times a second costs one read a second', async () => {
    const clock = { now: Date.now() }
    const store = openForTest(makePlace(), { now: () => clock.now })
    const tokens = tokensForTest(store)
    await makeSession(store, 'session')
    const { accessToken } = await tokens.fromSession({ sessionID: 'session' })
    const reads = await countReads(async () => {
      for (let i = 0; i < 2000; i++) {
        await tokens.verify(accessToken)
        clock.now += 10
      }
    })
    // More than 20 s of real time would cost more reads, because both clocks count.
    expect(reads).toBeGreaterThanOrEqual(20)
    expect(reads).toBeLessThanOrEqual(21)
  })

  it('256 verifications at once with freshness 0 share at most 8 round trips', async () => {
    const store = openForTest(makePlace())
    const tokens = tokensForTest(store, { freshness: 0 })
    const issued = await inChunks(256, async (i) => {
      await makeSession(store, `session-${i}`)
      return (await tokens.fromSession({ sessionID: `session-${i}` })).accessToken
    })
    await Promise.all(issued.map((token) => tokens.verify(token)))
    const reads = await countReads(() => Promise.all(issued.map((token) => tokens.verify(token))))
    expect(reads).toBeGreaterThanOrEqual(1)
    expect(reads).toBeLessThanOrEqual(8)
  })

  it(`${MANY} refreshes beside a sign-out leave no live family and no live token`, async () => {
    const place = makePlace()
    const clock = { now: Date.now() }
    const now = () => clock.now
    const [store, other] = [openForTest(place, { now }), openForTest(place, { now })]
    const [tokens, others] = [tokensForTest(store), tokensForTest(other)]
    const ends: ((i: number, token: string) => Promise<unknown>)[] = [
      (_, token) => tokens.revoke(token),
      (i) => store.revokeUser(`user-${i}`),
      async (i) => {
        const { sessions } = await store.list({ user: `user-${i}` })
        await store.revoke(sessions[0]!.handle)
      },
    ]
    const outcomes = new Map<unknown, number>()
    const grants: string[] = []
    const results = await inChunks(MANY, async (i) => {
      const { refreshToken } = await tokens.grant({ userId: `user-${i}` }, { client: 'cli' })
      grants.push(refreshToken)
      // Every other refresh rotates.
      if (i % AT_ONCE === 0) clock.now += 90_000
      const end = ends[i % 3]!
      const [refreshed] = await Promise.all([
        codeOf(others.refresh(refreshToken).then((pair) => pair.accessToken)),
        Promise.resolve().then(() => end(i, refreshToken)),
        codeOf(others.refresh(refreshToken)),
      ])
      const outcome = refreshed === 'REVOKED' ? refreshed : 'refreshed'
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      if (refreshed === 'REVOKED') return refreshed
      return codeOf(others.verify(refreshed as string, { freshness: 0 }))
    })
    expect(results.filter((code) => code !== 'REVOKED')).toEqual([])
    expect(await store.length()).toBe(0)
    // Some refreshes must win and some lose, or there was no race.
    expect(outcomes.get('refreshed')).toBeGreaterThan(0)
  })
})
