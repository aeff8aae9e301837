import { setTimeout as pause } from 'node:timers/promises'
import type { SessionStore } from '@session-stores/core'
import type { ProcessServer } from '@session-stores/testbed'
import { tokensForTest } from '../../../token/test/support/databases.ts'
import { authenticate, signIn, tokenRoutes } from '../../src/index.ts'
import { type Answer, handle, makeApp, openBrowser, send, serve, showErrors } from './site.ts'

const CLIENTS = 10

export interface OutageFigures {
  /** How many answers had each status. */
  statuses: Record<number, number>
  /** The longest wait for an answer, in milliseconds. */
  longest: number
  /** How many answers changed a cookie. */
  cookies: number
  /** How many clients were signed out in the end. */
  signedOut: number
}

/**
 * Runs browsers with sessions and clients with refresh tokens while the database is killed and
 * started again.
 *
 * @param outage how long the database is away, in milliseconds.
 */
export async function endureOutage(
  store: SessionStore,
  server: ProcessServer,
  outage: number,
): Promise<OutageFigures> {
  const tokens = tokensForTest(store, { freshness: 0, grace: 100 })
  const app = makeApp(store)
  app.post(
    '/sign-in',
    handle((req) => signIn(req, { userId: `${req.query.user}` })),
  )
  app.get('/', (req, res) => void res.json({ user: req.session.userId ?? null }))
  app.use(tokenRoutes(tokens))
  app.get('/api', authenticate(tokens), (req, res) => void res.json({ user: req.auth!.user }))
  const origin = await serve(showErrors(app))

  const figures: OutageFigures = { statuses: {}, longest: 0, cookies: 0, signedOut: 0 }
  const state = { isRunning: true, failures: 0 }
  const note = async (asking: Promise<Answer>): Promise<Answer> => {
    const begun = performance.now()
    const answer = await asking
    figures.longest = Math.max(figures.longest, performance.now() - begun)
    figures.statuses[answer.status] = (figures.statuses[answer.status] ?? 0) + 1
    figures.cookies += answer.cookies.length
    if (answer.status === 503) state.failures++
    return answer
  }

  const browsers = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, i) => {
      const browser = openBrowser(origin)
      await browser.post(`/sign-in?user=browser-${i}`)
      return browser.cookieFor(origin)
    }),
  )
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => tokens.grant({ userId: `client-${i}` }, { client: 'cli' })),
  )
  const ask = (cookie: string) => note(send(origin, { headers: { cookie } }))
  const refresh = (token: string) =>
    note(
      send(`${origin}/token`, {
        method: 'POST',
        body: { grant_type: 'refresh_token', refresh_token: token },
      }),
    )
  const call = (token: string) =>
    note(send(`${origin}/api`, { headers: { authorization: `Bearer ${token}` } }))

  const browse = async (cookie: string): Promise<void> => {
    while (state.isRunning) {
      await ask(cookie)
      await pause(5)
    }
  }
  const use = async (pair: { accessToken: string; refreshToken: string }): Promise<void> => {
    while (state.isRunning) {
      const { status, body } = await refresh(pair.refreshToken)
      if (status === 200) {
        const { access_token: accessToken, refresh_token: refreshToken = pair.refreshToken } =
          JSON.parse(body)
        Object.assign(pair, { accessToken, refreshToken })
      }
      await call(pair.accessToken)
      await pause(5)
    }
  }
  const work = [...browsers.map(browse), ...clients.map(use)]
  await pause(500)
  await server.kill()
  await pause(outage)
  await server.start()
  // Service is back when every client is answered again.
  while ((await ask(browsers[0]!)).status !== 200) await pause(20)
  await pause(500)
  state.isRunning = false
  await Promise.all(work)

  for (const [i, cookie] of browsers.entries()) {
    const { body } = await ask(cookie)
    if (JSON.parse(body).user !== `browser-${i}`) figures.signedOut++
  }
  for (const { refreshToken } of clients) {
    const { status, body } = await refresh(refreshToken)
    if (status !== 200 || (await call(JSON.parse(body).access_token)).status !== 200) figures.signedOut++
  }
  return figures
}
