import { Browser } from '@session-stores/testbed/browser'
import { expect, test } from 'vitest'
import { password, serve } from './support/serve.ts'

const HTTPS = { 'x-forwarded-proto': 'https' }

test('caches may keep files, but no pages', async () => {
  const { origin } = await serve()
  const [visitor, ann] = [new Browser(origin), new Browser(origin)]
  await ann.submit('/sign-up', '/sign-up', { name: 'Ann', password })
  expect(ann.redirect.get('cache-control')).toBe('no-store')
  for (const [path, status] of [
    ['/', 200],
    ['/sign-in', 200],
    ['/sign-up', 200],
    ['/sessions', 200],
    ['/nothing', 404],
  ] as const) {
    const page = await ann.get(path)
    expect([page.status, page.headers.get('cache-control')]).toEqual([status, 'no-store'])
    expect((await visitor.get(path)).headers.get('cache-control')).toBe('no-store')
  }
  const elsewhere = new Browser(origin, { 'sec-fetch-site': 'cross-site' })
  const forbidden = await elsewhere.post('/sign-out', {})
  expect([forbidden.status, forbidden.headers.get('cache-control')]).toEqual([403, 'no-store'])
  for (const path of ['/style.css', '/icon.svg', '/notes.js', '/times.js'])
    expect((await ann.get(path)).headers.get('cache-control')).toBe('public, max-age=0')
})

test('signing out clears the cookies and what the browser cached', async () => {
  const { origin } = await serve()
  const browser = new Browser(origin)
  await browser.submit('/sign-up', '/sign-up', { name: 'Ann', password })
  expect([...browser.cookies.keys()]).toEqual(['sid'])
  await browser.submit('/', '/sign-out')
  expect(browser.redirect.get('clear-site-data')).toBe('"cache", "storage"')
  expect(browser.cookies.size).toBe(0)
})

test('over plain HTTP, the cookie has its plain name', async () => {
  const { origin } = await serve()
  const browser = new Browser(origin)
  await browser.submit('/sign-up', '/sign-up', { name: 'Ann', password })
  expect(browser.setCookies.get('sid')).toMatch(/^sid=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/)
})

test('behind a proxy, the cookie is Secure and bound to the host, also when it is cleared', async () => {
  const { origin } = await serve({ trustProxy: 'loopback' })
  const browser = new Browser(origin, HTTPS)
  await browser.submit('/sign-up', '/sign-up', { name: 'Ann', password })
  expect(browser.setCookies.get('__Host-sid')).toMatch(
    /^__Host-sid=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
  )
  expect(browser.cookies.size).toBe(1)
  const { status, path } = await browser.get('/sessions')
  expect([status, path]).toEqual([200, '/sessions'])

  await browser.submit('/', '/sign-out')
  expect(browser.setCookies.get('__Host-sid')).toBe(
    `__Host-sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax`,
  )
})

test('behind a proxy, a request over plain HTTP is refused and gets no cookie', async () => {
  const { origin } = await serve({ trustProxy: 'loopback' })
  const browser = new Browser(origin)
  const page = await browser.get('/sign-in')
  expect([page.status, page.body]).toEqual([403, expect.stringContaining('HTTPS only')])
  expect(browser.cookies.size).toBe(0)
})

test('malformed cookies cause no error', async () => {
  const { origin } = await serve()
  for (const value of ['', 'j:{}', 'j:[1]', '.', '%', '"']) {
    const browser = new Browser(origin)
    browser.cookies.set('sid', value)
    expect((await browser.submit('/sign-in', '/sign-in', { name: 'Ann', password })).status).toBe(401)
  }
})

test('visitors who do not sign in get neither a session nor a cookie', async () => {
  const { origin, store } = await serve()
  for (let i = 0; i < 125; i++) {
    const browser = new Browser(origin)
    await browser.get('/')
    for (const path of ['/sign-in', '/sign-up', '/sessions']) await browser.get(path)
    expect(browser.setCookies.size).toBe(0)
  }
  expect(await store.length()).toBe(0)
})
