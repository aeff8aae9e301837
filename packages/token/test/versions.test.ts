import { createHmac, hkdfSync } from 'node:crypto'
import { memoryDriver, SessionStore } from '@session-stores/core'
import { after } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { codeOf, ISSUER, makeTokens, secrets } from './support/tokens.ts'

/** Refresh tokens and families that a newer version of this package has made. */

function open() {
  const store = new SessionStore(memoryDriver(), { pruneInterval: false, user: (session) => session.userId })
  const tokens = makeTokens(store)
  after(() => store.close())
  return { store, tokens }
}

declare module 'express-session' {
  interface SessionData {
    userId?: string
  }
}

/** Returns the refresh token as a process of another version makes it, with the same secret. */
function withVersion(token: string, version: number): string {
  const bytes = Buffer.from(token.slice(3), 'base64url')
  bytes[0] = version
  const body = bytes.subarray(0, -16)
  const secret = Buffer.from(secrets[0]!, 'hex')
  const key = Buffer.from(hkdfSync('sha256', secret, '', `session-stores refresh token\0${ISSUER}`, 32))
  createHmac('sha256', key).update(body).digest().copy(bytes, body.length, 0, 16)
  return `rt_${bytes.toString('base64url')}`
}

describe('a refresh token of a newer version', () => {
  it('is an error of the server, so that the client keeps it', async () => {
    const { tokens } = open()
    const { refreshToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    expect(withVersion(refreshToken, 1)).toBe(refreshToken)
    expect(await codeOf(tokens.refresh(withVersion(refreshToken, 2)))).toBe('FORMAT_TOO_NEW')
    // Nobody who lacks the secret can say that a token is newer.
    const forged = withVersion(refreshToken, 2).slice(0, -4)
    expect(await codeOf(tokens.refresh(`${forged}AAAA`))).toBe('INVALID')
    expect(await codeOf(tokens.refresh(withVersion(refreshToken, 0)))).toBe('INVALID')
    expect(await codeOf(tokens.refresh(refreshToken))).toMatchObject({ rotated: false })
  })
})

describe('a family of a newer version', () => {
  it('is not refreshed, and is ended', async () => {
    const { store, tokens } = open()
    const { refreshToken, accessToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
    const { handle } = (await store.list()).sessions[0]!
    await store.update({ handle }, (session) => ({
      ...session,
      tokenFamily: { ...session.tokenFamily!, version: 2 },
    }))
    const { session: stored } = (await store.peek(handle))!
    expect(await codeOf(tokens.refresh(refreshToken))).toBe('FORMAT_TOO_NEW')
    expect(await tokens.verify(accessToken)).toMatchObject({ sub: 'ada' })
    expect((await store.peek(handle))!.session).toEqual(stored)
    await store.revokeUser('ada')
    expect(await codeOf(tokens.refresh(refreshToken))).toBe('REVOKED')
  })
})
