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
  const forbidden = await ann.post('/sign-out', {})
  expect([forbidden.status, forbidden.headers.get('cache-control')]).toEqual([403, 'no-store'])
  for (const path of ['/style.css', '/icon.svg'])
    expect((await ann.get(path)).headers.get('cache-control')).toBe('public, max-age=0')
})

test('signing out clears the cookies and what the browser cached', async () => {
  const { origin } = await serve()
  const browser = new Browser(origin)
  await browser.submit('/sign-up', '/sign-up', { name: 'Ann', password })
  expect([...browser.cookies.keys()].sort()).toEqual(['csrf', 'session'])
  await browser.submit('/', '/sign-out')
  expect(browser.redirect.get('clear-site-data')).toBe('"cache", "storage"')
  expect(browser.cookies.size).toBe(0)
})

test('over plain HTTP, the cookies have their plain names', async () => {
  const { origin } = await serve()
  const browser = new Browser(origin)
  await browser.submit('/sign-up', '/sign-up', { name: 'Ann', password })
  expect(browser.setCookies.get('session')).toMatch(
    /^session=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
  )
  expect(browser.setCookies.get('csrf')).toMatch(/^csrf=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/)
})

test('behind a proxy, the cookies are Secure and bound to the host, also when they are cleared', async () => {
  const { origin } = await serve({ trustProxy: 'loopback' })
  const browser = new Browser(origin, HTTPS)
  await browser.submit('/sign-up', '/sign-up', { name: 'Ann', password })
  expect(browser.setCookies.get('__Host-session')).toMatch(
    /^__Host-session=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
  )
  expect(browser.setCookies.get('__Host-csrf')).toMatch(
    /^__Host-csrf=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  )
  expect(browser.cookies.size).toBe(2)
  const { status, path } = await browser.get('/sessions')
  expect([status, path]).toEqual([200, '/sessions'])

  await browser.submit('/', '/sign-out')
  for (const name of ['__Host-session', '__Host-csrf'])
    expect(browser.setCookies.get(name)).toBe(
      `${name}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax`,
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
    browser.cookies.set('csrf', value).set('session', value)
    expect((await browser.submit('/sign-in', '/sign-in', { name: 'Ann', password })).status).toBe(401)
  }
})

test('visitors who do not sign in get no session, and the home page sets no cookie', async () => {
  const { origin, store } = await serve()
  for (let i = 0; i < 125; i++) {
    const browser = new Browser(origin)
    await browser.get('/')
    expect(browser.setCookies.size).toBe(0)
    for (const path of ['/sign-in', '/sign-up', '/sessions']) await browser.get(path)
    expect([...browser.setCookies.keys()]).toEqual(['csrf'])
  }
  expect(await store.length()).toBe(0)
})
