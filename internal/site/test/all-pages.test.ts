import { findCommand } from '@session-stores/testbed'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { buildSiteIfStale } from '../src/build.ts'
import { builtPages, lookAt, openPage, serveSite } from './support.ts'

/** Every page of the site, as test/site.test.ts looks at one of each kind. */

const executablePath = findCommand(['chromium', 'chromium-browser', 'google-chrome'])

/** The matrix of all stores and rules has 5,000 lines, for which axe takes minutes. */
const HUGE = ['/generated/conformance']

/** The number of pages that are looked at at once. One waits for its network while another is checked. */
const TABS = 3

test.each([
  [390, 'light'],
  [1280, 'dark'],
] as const)('every page, %i pixels wide and %s', { timeout: 500_000 }, async (width, scheme) => {
  await buildSiteIfStale()
  expect(executablePath, 'chromium is on PATH').toBeDefined()
  await using site = await serveSite()
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
  try {
    const paths = builtPages().filter((path) => !HUGE.includes(path))
    expect(paths.length).toBeGreaterThan(50)
    const found = await Promise.all(
      Array.from({ length: TABS }, async (_, tab) => {
        const own = paths.filter((_path, place) => place % TABS === tab)
        return lookAt(await openPage(browser, width, scheme), site.origin, own)
      }),
    )
    expect(Object.assign({}, ...found)).toEqual({})
  } finally {
    await browser.close()
  }
})
