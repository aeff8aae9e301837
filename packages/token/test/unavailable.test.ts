import { describe, expect, it } from 'vitest'
import type { TokensOptions } from '../src/index.ts'
import { openFailing, tokensForTest } from './support/databases.ts'
import { codeOf } from './support/tokens.ts'

describe('a store that does not answer', () => {
  function openTokens(options: Partial<TokensOptions>) {
    const { state, store } = openFailing()
    return { state, tokens: tokensForTest(store, options) }
  }

  it('is the error of every call, which changes nothing', async () => {
    const { state, tokens } = openTokens({ freshness: 0 })
    const { accessToken, refreshToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    state.isDown = true
    for (const call of [
      () => tokens.verify(accessToken),
      () => tokens.refresh(refreshToken),
      () => tokens.revoke(refreshToken),
      () => tokens.introspect(refreshToken),
      () => tokens.introspect(accessToken),
      () => tokens.grant({ userId: 'ada' }, { client: 'cli' }),
      () => tokens.fromSession({ sessionID: 'id' }),
    ])
      expect(await codeOf(call())).toBe('UNAVAILABLE')
    state.isDown = false
    expect(await codeOf(tokens.verify(accessToken))).toMatchObject({ sub: 'ada' })
    expect(await codeOf(tokens.refresh(refreshToken))).toMatchObject({ refreshToken })
  })

  it('does not matter with stale: true, where the session was seen alive', async () => {
    const { state, tokens } = openTokens({ freshness: 0, stale: true })
    const [seen, unseen] = [
      await tokens.grant({ userId: 'ada' }, { client: 'cli' }),
      await tokens.grant({ userId: 'ada' }, { client: 'cli' }),
    ]
    await tokens.verify(seen.accessToken)
    state.isDown = true
    expect(await codeOf(tokens.verify(seen.accessToken))).toMatchObject({ sub: 'ada' })
    expect(await codeOf(tokens.verify(unseen.accessToken))).toBe('UNAVAILABLE')
  })
})
