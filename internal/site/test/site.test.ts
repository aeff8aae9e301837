import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findCommand } from '@session-stores/testbed'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { buildSiteIfStale } from '../src/build.ts'
import { dist, lookAt, openPage, serveSite } from './support.ts'

/** The built site in Chromium. `SCREENSHOTS` names a folder for pictures of the pages. */

const executablePath = findCommand(['chromium', 'chromium-browser', 'google-chrome'])

/** Pages of each kind. test/all-pages.test.ts looks at all of them. */
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

describe('the site, in Chromium', () => {
  let browser: Browser | undefined
  let site: Awaited<ReturnType<typeof serveSite>>

  beforeAll(async () => {
    await buildSiteIfStale()
    site = await serveSite()
    if (!executablePath) return
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
    // A build takes two minutes where other tests use the cores.
  }, 300_000)
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

  describe.each(WIDTHS)('%i pixels wide', (width) => {
    test.for(SCHEMES)(
      '%s: fits the screen, is accessible, and stays on its host',
      async (scheme, context) => {
        const page = await openPage(needBrowser(context), width, scheme)
        const found = await lookAt(page, site.origin, SOME)
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
        return [`/${file.replace(/(^|\/)index\.html$|\.html$/, '$1')}`, html] as [string, string]
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
