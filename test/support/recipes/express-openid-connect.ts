import { redisProcess, reservePort } from '@session-stores/testbed'
import { Browser } from '@session-stores/testbed/browser'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { expect, test } from 'vitest'
import { openProvider, USER } from '../../../internal/flows/src/provider.ts'
import type { Page } from '../pages.ts'
import { start } from '../program.ts'

/** Declares the tests of docs/recipes/express-openid-connect.md. */
export function testOpenidConnect({ folder }: Page): void {
  describeWith('on Redis', redisProcess, (redis) => {
    /** Starts the application and a provider. Returns a function that signs another browser in. */
    async function startFlow() {
      const { number: port, release } = await reservePort()
      after(release)
      const origin = `http://localhost:${port}`
      const provider = await openProvider({ app: origin, withSid: true })
      const env = {
        PORT: String(port),
        BASE_URL: origin,
        REDIS_URL: redis.url,
        ISSUER: provider.issuer,
        CLIENT_ID: provider.clientId,
        CLIENT_SECRET: provider.clientSecret,
      }
      const server = await start(folder, { env })
      after(() => server[Symbol.asyncDispose]())
      async function signIn() {
        const browser = new Browser(origin)
        expect((await browser.get('/')).body).toBe('{"user":null}')
        expect((await browser.get('/login')).body).toBe(JSON.stringify({ user: USER }))
        return browser
      }
      return { origin, provider, signIn }
    }
    const list = async (browser: Browser) => JSON.parse((await browser.get('/sessions')).body)
    const userOf = async (browser: Browser) => JSON.parse((await browser.get('/')).body).user

    test('keeps sessions in the store, by their users, and every way to sign out ends them', async () => {
      const { provider, signIn } = await startFlow()
      const [one, two] = [await signIn(), await signIn()]
      expect(one.cookies.get('appSession')!.length).toBeLessThan(100)
      expect(await list(one)).toHaveLength(2)
      expect((await one.post('/sign-out-everywhere')).status).toBe(204)
      for (const browser of [one, two]) expect(await userOf(browser)).toBeNull()
      expect((await one.get('/sessions')).status).toBe(401)

      const browser = await signIn()
      const copy = browser.copy()
      await browser.get('/logout')
      for (const each of [browser, copy]) expect(await userOf(each)).toBeNull()

      const other = await signIn()
      expect(await list(other)).toHaveLength(1)
      expect(await provider.signOut(other)).toBe(true)
      expect(await userOf(other)).toBeNull()
      expect(await list(await signIn())).toHaveLength(1)
    })

    test('a request with a session fails while the database is down', async () => {
      const { origin, signIn } = await startFlow()
      const browser = await signIn()
      await redis.stop()
      expect((await browser.get('/')).status).toBe(500)
      // Whoever has no session needs no database.
      expect((await new Browser().get(origin)).status).toBe(200)
    })
  })
}
