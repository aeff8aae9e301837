import { once } from 'node:events'
import { createReadStream, existsSync, globSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import type { Browser, Page } from 'playwright-core'

/** The built site, served as a host of static files serves it, and looked at in a browser. */

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Pictures of the pages are written here, where the variable names a folder. */
const { SCREENSHOTS } = process.env

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

export const dist: string = join(import.meta.dirname, '../dist')

/** Returns the addresses of all pages of the built site. */
export function builtPages(): string[] {
  return globSync('**/*.html', { cwd: dist })
    .filter((file) => file !== '404.html')
    .map((file) => `/${file.replace(/(^|\/)index\.html$/, '$1').replace(/\.html$/, '')}`)
    .sort()
}

/** Serves the built site. */
export async function serveSite(): Promise<AsyncDisposable & { origin: string }> {
  const server = createServer((req, res) => {
    const { pathname } = new URL(req.url!, 'http://localhost')
    const path = decodeURIComponent(pathname)
    const file = [path, `${path}.html`, join(path, 'index.html')]
      .map((each) => join(dist, each))
      .find((each) => extname(each) !== '' && existsSync(each))
    if (file === undefined) return res.writeHead(404).end()
    res.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream')
    createReadStream(file).pipe(res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What is wrong with a page. */
export interface Faults {
  complaints: string[]
  otherHosts: string[]
  isTooWide: boolean
  violations: string[]
}

/** Opens a page of a browser with a screen of this width. */
export function openPage(browser: Browser, width: number, colorScheme: 'light' | 'dark'): Promise<Page> {
  return browser.newPage({ viewport: { width, height: 900 }, colorScheme, reducedMotion: 'reduce' })
}

/** Looks at pages of the site, and returns the faults of those that have some. */
export async function lookAt(
  page: Page,
  origin: string,
  paths: readonly string[],
): Promise<Record<string, Faults>> {
  const found: Record<string, Faults> = {}
  let faults: Faults
  page.on('console', (message) => faults.complaints.push(message.text()))
  page.on('pageerror', (error) => faults.complaints.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:'))
      faults.otherHosts.push(request.url())
  })
  for (const path of paths) {
    faults = { complaints: [], otherHosts: [], isTooWide: false, violations: [] }
    await page.goto(origin + path, { waitUntil: 'networkidle' })
    // The site's scripts give the switch between light and dark its name.
    await page.waitForFunction(() => document.querySelector('.VPSwitchAppearance[title=""]') === null)
    faults.isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
    faults.violations = (await page.evaluate(`${axe}; axe.run().then(({ violations }) => violations.map(
      ({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).slice(0, 3).join(' '),
    ))`)) as string[]
    const isClean = Object.values(faults).every((each) => each === false || each.length === 0)
    if (!isClean) found[path] = faults
    const { width } = page.viewportSize()!
    const scheme = await page.evaluate(() =>
      matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
    )
    const file = `${path.replaceAll(/\W+/g, '-')}-${width}-${scheme}.png`
    if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, file) })
  }
  return found
}
