import { globSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'vitest'
import type { Page } from './pages.ts'
import { OWN_CONNECTION, type Server, start } from './program.ts'

/** What the programs of each guide must do. */

const user = (name: string | null) => ({ status: 200, body: { user: name } })
const password = 'correct horse'

const checks: Readonly<Record<string, (server: Server, folder: string) => Promise<void>>> = {
  async 'cookies-and-csrf'({ ask }) {
    expect((await ask('/sign-in', { name: 'ada', password: 'wrong' })).status).toBe(401)
    expect(
      (await ask('/sign-in', { name: 'ada', password }, { 'Sec-Fetch-Site': 'cross-site' })).status,
    ).toBe(403)
    expect((await ask('/sign-in', { name: 'ada', password })).status).toBe(303)
    expect(await ask('/')).toEqual(user('ada'))
    expect((await ask('/sign-out', {})).status).toBe(303)
    expect(await ask('/')).toEqual(user(null))
  },
  async 'fewer-round-trips'({ ask }) {
    expect((await ask('/sign-in', { name: 'ada', password })).status).toBe(303)
    for (let i = 0; i < 5; i++) expect(await ask('/')).toEqual(user('ada'))
    expect((await ask('/payments', {})).status).toBe(204)
    expect((await ask('/sign-out', {})).status).toBe(204)
    expect((await ask('/')).status).toBe(401)
  },
  async passport({ ask }) {
    expect((await ask('/login', { username: 'ada', password: 'wrong' })).status).toBe(401)
    expect((await ask('/login', { username: 'ada', password })).status).toBe(303)
    expect(await ask('/')).toEqual(user('ada'))
    expect((await ask('/logout', {})).status).toBe(303)
    expect(await ask('/')).toEqual(user(null))
  },
  async 'apis-with-jwts'({ origin, ask, run }, folder) {
    expect(await run('client.mjs')).toBe("{ user: 'ada' }\n{ user: 'ada' }\n")
    expect((await ask('/api/me')).status).toBe(401)
    const response = await fetch(`${origin}/api/sign-in`, {
      method: 'POST',
      headers: { ...OWN_CONNECTION, 'Content-Type': 'application/json' },
      body: JSON.stringify({ password }),
    })
    const { access_token: token } = (await response.json()) as { access_token: string }
    process.env.SITE = origin
    const { verify } = (await import(
      /* @vite-ignore */ `${pathToFileURL(join(folder, 'service.mjs'))}?${origin}`
    )) as {
      verify(token: string): Promise<{ sub: string; scope: string }>
    }
    expect(await verify(token)).toMatchObject({ sub: 'ada', scope: 'notes:read' })
    await expect(verify(`${token.slice(0, -4)}AAAA`)).rejects.toThrow()
  },
  async 'signing-out-everywhere'({ ask }) {
    const sign = () => ask('/sign-in', { name: 'ada', password })
    expect((await ask('/sessions')).status).toBe(401)
    // Each sign-in replaces the session of this browser.
    for (let i = 0; i < 3; i++) expect((await sign()).status).toBe(303)
    const { body } = await ask('/sessions')
    expect(body).toEqual([{ handle: expect.any(String), createdAt: expect.any(Number), isCurrent: true }])
    expect((await ask('/change-password', {})).status).toBe(303)
    expect((await ask('/sessions')).status).toBe(200)
    const [{ handle }] = body as [{ handle: string }]
    expect((await ask('/sessions/revoke', { handle })).status).toBe(303)
    expect((await ask('/sessions')).status).toBe(401)
    await sign()
    expect((await ask('/sign-out-everywhere', {})).status).toBe(204)
    expect((await ask('/sessions')).status).toBe(401)
  },
}

/** Runs the programs of a guide, and uses them as the guide says. */
export async function checkGuide({ name, folder }: Page): Promise<void> {
  const check = checks[name]
  const programs = globSync('*.mjs', { cwd: folder })
  expect(check !== undefined, `${name} has programs and no check, or the other way round`).toBe(
    programs.length > 0,
  )
  if (check === undefined) return
  await using server = await start(folder)
  await check(server, folder)
}
