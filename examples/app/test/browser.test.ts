import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryDriver, SessionStore } from '@session-stores/core'
import { findCommand, selfSigned } from '@session-stores/testbed'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { createApp } from '../src/app.ts'
import { makeTokens } from '../src/tokens.ts'
import { Users } from '../src/users.ts'
import { findBarriers } from './support/barriers.ts'
import { cost, password, secret, userOf } from './support/serve.ts'

/** The application in a real browser, over https, so that the cookies are as in production. */

const executablePath = findCommand(['chromium', 'chromium-browser', 'google-chrome'])
/** Pictures of the pages are written here, where the variable names a folder. */
const { SCREENSHOTS } = process.env

/** Access tokens end while a test runs: they live a second, and clocks may differ by five. */
const lifetime = 1000

describe('the application, in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'browser-test-'))
  const store = new SessionStore(memoryDriver(), { user: userOf, pruneInterval: false })
  const tokens = makeTokens(store, secret, { lifetime })
  const users = new Users(':memory:', { cost })
  let browser: Browser | undefined
  let server: Server
  let origin: string
  let people = 0

  beforeAll(async () => {
    if (!executablePath) return
    const { cert, key } = selfSigned(folder)
    const app = createApp({
      store,
      users,
      tokens,
      secret,
      isSecure: true,
      triesPerAddress: 1000,
      triesPerName: 3,
    })
    server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, app)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
  })
  afterAll(async () => {
    await browser?.close()
    server?.close()
    server?.closeAllConnections()
    tokens.close()
    await store.close()
    users.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  interface Visit {
    context: BrowserContext
    page: Page
    name: string
    /** What the pages complained about on the console. */
    complaints: string[]
  }

  /** Opens a browser with cookies of its own. Skips the test where there is no browser. */
  async function open({ skip, onTestFinished }: TestContext, options = {}): Promise<Visit> {
    if (!browser) {
      expect(process.env.CI, 'the checks of a fresh clone install chromium').toBeUndefined()
      return skip('there is no chromium on PATH')
    }
    const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: origin, ...options })
    onTestFinished(() => context.close())
    const complaints: string[] = []
    context.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    return { context, page: await context.newPage(), name: `person ${++people}`, complaints }
  }

  async function fillIn(page: Page, path: string, name: string, tried = password): Promise<void> {
    await page.goto(path)
    await page.getByLabel('Name').fill(name)
    await page.getByLabel('Password').fill(tried)
    await page.getByRole('main').getByRole('button').click()
    await page.waitForLoadState()
  }

  test('a user signs up, out and in, and the cookie is as it should be', async (run) => {
    const { context, page, name, complaints } = await open(run)
    await fillIn(page, '/sign-up', name)
    await expect.poll(() => page.getByRole('heading').textContent()).toBe(`Hello, ${name}`)
    expect(await context.cookies()).toEqual([
      expect.objectContaining({
        name: '__Host-sid',
        domain: '127.0.0.1',
        path: '/',
        httpOnly: true,
        secure: true,
        sameSite: 'Lax',
      }),
    ])
    const [before] = await context.cookies()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('link', { name: 'Sign in' }).waitFor()
    expect(await context.cookies()).toEqual([])
    await fillIn(page, '/sign-in', name, 'something else')
    await page.getByText('Name or password is wrong.').waitFor()
    await fillIn(page, '/sign-in', name)
    await page.getByText(`Hello, ${name}`).waitFor()
    expect((await context.cookies())[0]!.value).not.toBe(before!.value)
    // The answer of 401 is an error to the console of the browser.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
  })

  test('two tabs share the session, each with a token of its own, and nothing secret is kept where scripts can read', async (run) => {
    const { context, page, name, complaints } = await open(run)
    const issued: string[] = []
    context.on('response', async (response) => {
      if (new URL(response.url()).pathname === '/token') issued.push((await response.json()).access_token)
    })
    await fillIn(page, '/sign-up', name)
    const other = await context.newPage()
    for (const tab of [page, other]) await tab.goto('/notes')
    await page.getByLabel('New note').fill('Buy milk')
    await page.getByRole('button', { name: 'Add' }).click()
    for (const tab of [page, other]) await tab.getByRole('listitem').getByText('Buy milk').waitFor()
    // The tokens end while the tabs poll, and each tab gets new ones without asking anybody.
    await expect.poll(() => issued.length).toBeGreaterThanOrEqual(4)
    await page.getByLabel('New note').fill('Call Bob')
    await page.getByRole('button', { name: 'Add' }).click()
    for (const tab of [page, other]) await tab.getByRole('listitem').getByText('Call Bob').waitFor()

    const [cookie] = await context.cookies()
    const id = decodeURIComponent(cookie!.value).slice(2, 34)
    for (const tab of [page, other]) {
      const seen = await tab.evaluate(() => ({
        kept: [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie],
        page: document.documentElement.outerHTML,
        globals: Object.keys(window)
          .map((key) => `${key}=${String(Reflect.get(window, key))}`)
          .join(),
      }))
      expect(seen.kept).toEqual(['{}', '{}', ''])
      for (const hidden of [...issued, id, cookie!.value])
        expect(`${seen.page}${seen.globals}`).not.toContain(hidden)
      expect(await tab.evaluate(async () => (await indexedDB.databases()).length)).toBe(0)
    }
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
  })

  test('a sign-out in one tab ends the other one, which polls', async (run) => {
    const { context, page, name } = await open(run)
    await fillIn(page, '/sign-up', name)
    const other = await context.newPage()
    await other.goto('/notes')
    await other.getByText('There are no notes yet.').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await other.getByText('You are signed out.').waitFor()
    await other.reload()
    await other.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await context.cookies()).toEqual([])
  })

  test('a sign-out everywhere ends other browsers and programs', async (run) => {
    const { page, name } = await open(run)
    await fillIn(page, '/sign-up', name)
    const { page: elsewhere } = await open(run)
    await fillIn(elsewhere, '/sign-in', name)
    await elsewhere.goto('/notes')
    await elsewhere.getByText('There are no notes yet.').waitFor()
    const user = (await users.signIn({ name, password }))!.id
    const { accessToken } = await tokens.grant({ passport: { user }, device: 'A program' }, { client: 'cli' })
    await page.goto('/sessions')
    expect(await page.getByRole('listitem').count()).toBe(3)
    await page.getByText('program', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Sign out everywhere', exact: true }).click()
    await elsewhere.getByText('You are signed out.').waitFor()
    await expect(tokens.verify(accessToken)).rejects.toMatchObject({ code: 'REVOKED' })
    expect((await store.list({ user })).sessions).toEqual([])
  })

  test('a form of another site changes nothing, although the browser sends it', async (run) => {
    const { page, name } = await open(run)
    await fillIn(page, '/sign-up', name)
    await page.route('https://evil.example/', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form method="post" action="${origin}/sign-out"><button>Win</button></form>`,
      }),
    )
    await page.goto('https://evil.example/')
    await page.getByRole('button').click()
    await page.getByText('This form came from another site').waitFor()
    await page.goto('/')
    await page.getByText(`Hello, ${name}`).waitFor()
  })

  test('each step is confirmed, and the focus is where a person goes on', async (run) => {
    const { page, name, complaints } = await open(run)
    // A browser gives the focus to an element with `autofocus` only when it first draws the page.
    const focused = (of = page): Promise<string> =>
      of.evaluate(() => document.activeElement!.getAttribute('name') ?? document.activeElement!.textContent!)
    await page.goto('/sign-in')
    await expect.poll(() => focused()).toBe('name')
    await fillIn(page, '/sign-up', name)
    await page.getByText(`Hello, ${name}`).waitFor()
    const { page: elsewhere } = await open(run)
    await fillIn(elsewhere, '/sign-in', name, 'something else')
    await elsewhere.getByText('Name or password is wrong.').waitFor()
    await expect.poll(() => focused(elsewhere)).toBe('password')
    await elsewhere.getByLabel('Password').fill(password)
    await elsewhere.getByRole('main').getByRole('button').click()
    await elsewhere.getByText(`Hello, ${name}`).waitFor()

    await page.goto('/sessions')
    await page.getByRole('button', { name: 'Sign out everywhere else' }).click()
    await page.getByText('One other session is signed out.').waitFor()
    await expect.poll(() => focused()).toBe('One other session is signed out.')
    await page.reload()
    await page.getByRole('heading', { name: 'Your sessions' }).waitFor()
    expect(await page.getByRole('status').count()).toBe(0)
    await page.goto('/notes')
    await page.getByLabel('New note').fill('Buy milk')
    await page.getByRole('button', { name: 'Add' }).click()
    await page.getByText('The note is added.').waitFor()
    await expect.poll(() => focused()).toBe('text')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('You are signed out.').waitFor()
    await expect.poll(() => focused()).toBe('You are signed out.')
    // The notes may ask once more between the sign-out and the next page, and get 401.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
  })

  test('times are read as a distance, with the exact time in the zone of the browser', async (run) => {
    const zone = { locale: 'en-GB', timezoneId: 'Asia/Tokyo' }
    const { page, name } = await open(run, zone)
    await fillIn(page, '/sign-up', name)
    const times = page.locator('time')
    await expect.poll(() => times.textContent()).toMatch(/^in 7 days$/)
    expect(await times.getAttribute('title')).toMatch(/^\w+, \d+ \w+ \d{4} at \d\d:\d\d:\d\d GMT\+9$/)
    await page.goto('/sessions')
    await page.clock.install()
    await page.reload()
    expect(await times.first().textContent()).toBe('just now')
    await page.clock.runFor(2 * 60_000)
    expect(await times.first().textContent()).toMatch(/^[12] minutes? ago$/)
    // Without scripts, the server's words stand, and the tooltip is in UTC.
    const { page: plain } = await open(run, { ...zone, javaScriptEnabled: false })
    await fillIn(plain, '/sign-in', name)
    expect(await plain.locator('time').textContent()).toBe('in 7 days')
    expect(await plain.locator('time').getAttribute('title')).toMatch(/ GMT$/)
  })

  for (const width of [390, 1280])
    for (const colorScheme of ['light', 'dark'] as const)
      test(`of ${width} pixels, ${colorScheme}: every page fits the screen, and can be read`, async (run) => {
        const { page, name, complaints } = await open(run, { viewport: { width, height: 900 }, colorScheme })
        const look = async (path: string, title = path.slice(1) || 'home'): Promise<void> => {
          if (page.url() !== origin + path) await page.goto(path)
          if (path === '/notes') await page.getByText('There are no notes yet.').waitFor()
          const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
          expect(excess, path).toBeLessThanOrEqual(0)
          expect(await findBarriers(page), path).toEqual([])
          if (!SCREENSHOTS) return
          mkdirSync(SCREENSHOTS, { recursive: true })
          await page.screenshot({ path: join(SCREENSHOTS, `${title}-${width}-${colorScheme}.png`) })
        }
        for (const path of ['/', '/sign-in', '/sign-up']) await look(path)
        await look('/nope', 'not-found-signed-out')
        await fillIn(page, '/sign-in', name, 'something else')
        await look('/sign-in', 'wrong-password')
        for (let tries = 0; tries < 4; tries++)
          await fillIn(page, '/sign-in', `not ${name}`, 'something else')
        await page.getByRole('heading', { name: 'Too many tries' }).waitFor()
        await look('/sign-in', 'too-many-tries')
        await fillIn(page, '/sign-up', name)
        const user = (await users.signIn({ name, password }))!.id
        await tokens.grant(
          { passport: { user }, device: 'notes on a-machine-with-a-long-name.example' },
          { client: 'cli' },
        )
        for (const path of ['/', '/sessions', '/notes', '/nope']) await look(path)
        await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
        await page.goto('/sessions')
        await page.getByRole('button', { name: 'Sign out everywhere else' }).click()
        await page.getByText('One other session').waitFor()
        await look('/sessions', 'signed-out-elsewhere')
        expect(complaints.filter((text) => !/ (401|404|429) /.test(text))).toEqual([])
      })
})
