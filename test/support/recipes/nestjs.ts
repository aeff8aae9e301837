import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { SqliteStore } from '@session-stores/sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from '../pages.ts'
import { OWN_CONNECTION, type Server, start } from '../program.ts'

const user = { name: 'ada', password: 'correct horse' }
const signedOut = { statusCode: 401, message: 'Unauthorized' }

/** Declares the tests of docs/recipes/nestjs.md. */
export function testNestjs({ folder }: Page): void {
  let server: Server
  beforeAll(async () => {
    await promisify(execFile)('tsc', [], { cwd: folder }).catch(({ stdout }) => {
      throw new Error(stdout)
    })
    server = await start(folder, { args: ['dist/main.js'] })
  })
  afterAll(() => server?.[Symbol.asyncDispose]())

  test('signs in, reads the session in a guard, and signs out', async () => {
    expect(await server.ask('/me')).toEqual({ status: 401, body: signedOut })
    expect((await server.ask('/sign-in', { ...user, password: 'wrong' })).status).toBe(401)
    expect((await server.ask('/sign-in', user)).status).toBe(204)
    const stolen = { cookie: server.cookie }
    expect(await server.ask('/me')).toEqual({ status: 200, body: { user: 'ada' } })
    expect((await server.ask('/sign-out', {})).status).toBe(204)
    for (const headers of [{}, stolen])
      expect(await server.ask('/me', undefined, headers)).toEqual({ status: 401, body: signedOut })
  })

  test("ends sessions of the user, and nobody else's", async () => {
    await server.ask('/sign-in', { ...user, name: 'bob' })
    const bob = { cookie: server.cookie }
    await server.ask('/sign-out', {}, { cookie: '' })
    await server.ask('/sign-in', user, { cookie: '' })
    const { body } = await server.ask('/sessions')
    expect(body).toEqual([{ handle: expect.any(String), createdAt: expect.any(Number), isCurrent: true }])
    const [{ handle }] = body as [{ handle: string }]
    const revoke = (headers: Record<string, string>) =>
      fetch(`${server.origin}/sessions/${handle}`, {
        method: 'DELETE',
        headers: { ...OWN_CONNECTION, 'Sec-Fetch-Site': 'same-origin', ...headers },
      })
    await revoke(bob)
    expect((await server.ask('/me')).status).toBe(200)
    expect((await revoke({ cookie: server.cookie })).status).toBe(204)
    expect((await server.ask('/me')).status).toBe(401)
    expect((await server.ask('/me', undefined, bob)).status).toBe(200)
  })

  test('answers with the status of an error, and not with 500', async () => {
    const crossSite = { 'Sec-Fetch-Site': 'cross-site' }
    expect(await server.ask('/sign-in', user, crossSite)).toMatchObject({ status: 403 })
    expect(await server.ask('/me', undefined, { cookie: 'sid=a; sid=b' })).toMatchObject({ status: 400 })
  })

  test('closes the store and ends on SIGTERM', async () => {
    const own = await start(folder, { args: ['dist/main.js'] })
    await own[Symbol.asyncDispose]()
    const store = new SqliteStore({
      path: `${folder}/sessions.db`,
      user: (session) => (session as { userId?: string }).userId,
    })
    expect((await store.list({ user: 'bob' })).sessions).toHaveLength(1)
    await store.close()
  })
}
