import { existsSync, globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { findCommand } from '@session-stores/testbed'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { buildSite } from '../src/build.ts'
import { builtPages, dist, serveSite } from './support.ts'

/** The built site in Chromium. `SCREENSHOTS` names a folder for pictures of the pages. */

const executablePath = findCommand(['chromium', 'chromium-browser', 'google-chrome'])
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const { SCREENSHOTS, SESSION_STORES_TESTS: tests = 'usual' } = process.env

/** Pages of each kind. The long tests look at all of them. */
const SOME = [
  '/',
  '/start',
  '/packages/redis',
  '/reference/options',
  '/guides/cookies-and-csrf',
  '/troubleshooting',
]
const WIDTHS = [390, 1280] as const
const SCHEMES = ['light', 'dark'] as const

/** What a page must not have. */
interface Faults {
  complaints: string[]
  otherHosts: string[]
  isTooWide: boolean
  violations: string[]
}

const none: Faults = { complaints: [], otherHosts: [], isTooWide: false, violations: [] }

describe('the site, in Chromium', () => {
  let browser: Browser | undefined
  let site: Awaited<ReturnType<typeof serveSite>>

  beforeAll(async () => {
    if (!existsSync(join(dist, 'index.html'))) await buildSite()
    site = await serveSite()
    if (!executablePath) return
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
  })
  afterAll(async () => {
    await browser?.close()
    await site[Symbol.asyncDispose]()
  })

  function needBrowser(context: TestContext): Browser {
    if (browser) return browser
    expect(process.env.CI, 'the checks of a fresh clone install chromium').toBeFalsy()
    context.skip('there is no chromium on PATH')
    throw new Error('skipped')
  }

  /** Opens a page and returns what is wrong with it. */
  async function look(page: Page, path: string): Promise<Faults> {
    const [complaints, otherHosts]: string[][] = [[], []]
    page.on('console', (message) => complaints!.push(message.text()))
    page.on('pageerror', (error) => complaints!.push(error.message))
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== site.origin) otherHosts!.push(request.url())
    })
    await page.goto(site.origin + path, { waitUntil: 'networkidle' })
    const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
    const violations = (await page.evaluate(`${axe};
      axe.run().then(({ violations }) => violations.map(
        ({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).slice(0, 3).join(' '),
      ))`)) as string[]
    page.removeAllListeners()
    return { complaints: complaints!, otherHosts: otherHosts!, isTooWide, violations }
  }

  describe.each(WIDTHS)('%i pixels wide', (width) => {
    test.each(SCHEMES)(
      '%s: fits the screen, is accessible, and stays on its host',
      async (scheme, ...rest) => {
        const context = rest.at(-1) as unknown as TestContext
        const paths = tests === 'usual' ? SOME : builtPages()
        const page = await needBrowser(context).newPage({
          viewport: { width, height: 900 },
          colorScheme: scheme,
          reducedMotion: 'reduce',
        })
        const found: Record<string, Faults> = {}
        for (const path of paths) {
          const faults = await look(page, path)
          if (!isDeepStrictEqual(faults, none)) found[path] = faults
          const file = `${path.replaceAll(/\W+/g, '-')}-${width}-${scheme}.png`
          if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, file) })
        }
        expect(found).toEqual({})
        await page.close()
      },
    )
  })

  test('the search finds an option', async (context) => {
    const page = await needBrowser(context).newPage()
    await page.goto(`${site.origin}/start`, { waitUntil: 'networkidle' })
    await page.keyboard.press('Control+k')
    await page.locator('.VPLocalSearchBox input').fill('operationTimeout')
    await page.locator('.VPLocalSearchBox .result').first().waitFor()
    expect(await page.locator('.VPLocalSearchBox .result').count()).toBeGreaterThan(2)
    await page.close()
  })

  test('every anchor that a page links to is there', () => {
    const ids = new Map(
      globSync('**/*.html', { cwd: dist }).map((file) => {
        const html = readFileSync(join(dist, file), 'utf8')
        return [`/${file.replace(/(^|\/)index\.html$|\.html$/, '$1')}`, html] as const
      }),
    )
    const missing = [...ids].flatMap(([from, html]) =>
      [...html.matchAll(/href="(\/[^"#]*)?#([^"]+)"/g)]
        .map(([, to = from, anchor]) => ({ from, to, anchor: decodeURIComponent(anchor!) }))
        .filter(({ to, anchor }) => !ids.get(to)?.includes(`id="${anchor}"`)),
    )
    expect(ids.size).toBeGreaterThan(40)
    expect(missing).toEqual([])
  })
})
