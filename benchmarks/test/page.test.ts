import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { findCommand } from '@session-stores/testbed'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { renderPage } from '../src/report/render.ts'
import { newestRun } from '../src/results/newest.ts'
import { Browser } from './support/browser.ts'

const chromium = findCommand(['chromium', 'chromium-browser', 'google-chrome'])

/** The page must be shorter than this, in screens, while its sections are folded. */
const MOST_SCREENS = 10

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The sizes of the screens, in pixels: a phone, and a small laptop. */
const SIZES = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
]

/**
 * An expression that lists what of the answer (the table, the chart and the sentences) is missing on the
 * first screen, whether the page is too long or too wide, texts that exceed their charts,
 * and violations of the rules of accessibility. Sections are alike, and axe would take a minute for
 * all of them, so it looks at one of each kind.
 */
const faults = `${axe}; (async () => {
  const missing = ['.choice tr', '.verdict figure', '.verdict p'].filter((selector) => {
    const all = [...document.querySelectorAll(selector)]
    return all.length === 0 || all.some((one) => one.getBoundingClientRect().bottom > innerHeight)
  }).map((selector) => selector + ' is not on the first screen')
  const screens = document.documentElement.scrollHeight / innerHeight
  const long = screens < ${MOST_SCREENS} ? [] : ['folded, the page takes ' + screens + ' screens']
  for (const section of document.querySelectorAll('details')) section.open = true
  const wide = document.documentElement.scrollWidth > innerWidth ? ['the page is wider than the screen'] : []
  const texts = [...document.querySelectorAll('figure > svg text')].filter((text) => {
    const [inner, outer] = [text.getBoundingClientRect(), text.closest('svg').getBoundingClientRect()]
    return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1
  })
  const cut = texts.map((text) => text.closest('svg').getAttribute('aria-label') + ': ' + text.textContent)
  const kinds = '#reading, #http, #open-loop, #expiry, #aims, #environment'
  for (const section of document.querySelectorAll('.fold')) if (!section.querySelector(kinds)) section.remove()
  const { violations } = await axe.run()
  const barriers = violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html.slice(0, 120)).join(' '))
  return [...missing, ...long, ...wide, ...cut, ...barriers]
})()`

describe('the page of the newest run, in Chromium', () => {
  let folder: string
  let browser: Browser | undefined
  let url: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'page-test-'))
    const file = join(folder, 'page.html')
    writeFileSync(file, await renderPage(newestRun().run))
    url = pathToFileURL(file).href
    if (chromium) browser = await Browser.start(chromium, folder)
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  for (const { width, height } of SIZES)
    for (const scheme of ['light', 'dark'] as const)
      it(`of ${width} pixels, ${scheme}: answers on the first screen, fits its width, is accessible, logs nothing, and requests nothing else`, async (context) => {
        if (!browser) {
          assert.ok(!process.env.CI, 'the checks of a fresh clone install chromium')
          context.skip('there is no chromium on PATH')
          return
        }
        const { said, asked, result } = await browser.look(url, { width, height, scheme }, faults)
        assert.deepEqual({ said, asked, faults: result }, { said: [], asked: [url], faults: [] })
      })
})
