import { Browser, type Page } from '@session-stores/testbed/browser'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Users } from '../src/users.ts'
import { countHashes } from './support/hashes.ts'
import { password, serve } from './support/serve.ts'

const wrong = 'something else'
/** Options for a proxy that reports the address of each client. */
const proxied = { trustProxy: 'loopback', isSecure: false }

/** Tries a password from an address that no other test uses. */
function tryFrom(origin: string, host: number, name: string, tried: string): Promise<Page> {
  const browser = new Browser(origin, { 'x-forwarded-for': `203.0.113.${host}` })
  return browser.submit('/sign-in', '/sign-in', { name, password: tried })
}

test('too many tries from one address are refused for a while', async () => {
  const { origin } = await serve({ triesPerAddress: 2 })
  const browser = new Browser(origin)
  const statuses: number[] = []
  for (const name of ['x', 'y', 'z'])
    statuses.push((await browser.submit('/sign-in', '/sign-in', { name, password })).status)
  expect(statuses).toEqual([401, 401, 429])
})

test('after too many tries for a name, further tries are refused from every address, even if nobody has the name', async () => {
  const { origin } = await serve({ ...proxied, triesPerName: 2 })
  await new Browser(origin).submit('/sign-up', '/sign-up', { name: 'Ann', password })
  const hashes = countHashes()
  const refused: Page[] = []
  for (const [name, spelling] of [
    ['Ann', ' aＮn'],
    ['Nobody', ' nＯbody'],
  ] as const) {
    hashes.started = 0
    expect((await tryFrom(origin, 1, name, wrong)).status).toBe(401)
    expect((await tryFrom(origin, 2, spelling, wrong)).status).toBe(401)
    expect(hashes.started).toBe(2)
    refused.push(await tryFrom(origin, 3, name, wrong), await tryFrom(origin, 4, spelling, password))
    expect(hashes.started).toBe(2)
  }
  expect(refused.map(({ status }) => status)).toEqual([429, 429, 429, 429])
  // Only the exact times differ, because the tries began at different times.
  const withoutTimes = refused.map(({ body }) => body.replaceAll(/<time [^>]*>/g, '<time>'))
  expect(new Set(withoutTimes).size).toBe(1)
  expect(withoutTimes[0]).toContain('Try again <time>in 15 minutes</time>')
  for (const { headers } of refused) {
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(14 * 60)
    expect(headers.get('cache-control')).toBe('no-store')
  }

  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 15 * 60_000 + 1 })
  onTestFinished(() => void vi.useRealTimers())
  expect((await tryFrom(origin, 5, 'Ann', password)).body).toContain('Hello, Ann')
})

test('a successful sign-in resets the count of wrong tries', async () => {
  const { origin } = await serve({ ...proxied, triesPerName: 2 })
  await new Browser(origin).submit('/sign-up', '/sign-up', { name: 'Ann', password })
  for (const tried of [wrong, password, wrong, password, wrong])
    expect((await tryFrom(origin, 1, 'Ann', tried)).status).toBe(tried === password ? 200 : 401)
})

test('while 60 people sign in, files and pages are not delayed, and only two passwords are hashed in parallel', async () => {
  const { origin, server } = await serve()
  const hashes = countHashes()
  const forms = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const browser = new Browser(origin)
      const hidden = await browser.hiddenFields('/sign-in', '/sign-in')
      return () => browser.post('/sign-in', { ...hidden, name: `person ${i}`, password })
    }),
  )
  let received = 0
  server.on('request', () => received++)
  const answered: string[] = []
  const signIns = forms.map(async (send) => {
    const { status } = await send()
    answered.push(`sign-in ${status}`)
  })
  await vi.waitFor(() => expect(received).toBe(60), 10_000)
  await Promise.all(
    ['/style.css', '/', '/sign-up'].map(async (path) => {
      await new Browser(origin).get(path)
      answered.push(path)
    }),
  )
  expect(answered.length).toBeLessThan(20)
  await Promise.all(signIns)
  expect(answered.filter((answer) => answer === 'sign-in 401')).toHaveLength(60)
  expect(hashes.started).toBe(60)
  expect(hashes.mostAtOnce).toBe(2)
})

test('if too many passwords wait, further ones are answered with 503 and do not count as tries', async () => {
  const users = new Users(':memory:', { atOnce: 1, maxWaiting: 1 })
  const { origin } = await serve({ ...proxied, users, triesPerName: 6 })
  const pages = await Promise.all(Array.from({ length: 6 }, () => tryFrom(origin, 1, 'Ann', wrong)))
  const [busy, compared] = [503, 401].map((status) => pages.filter((page) => page.status === status))
  expect(busy!.length).toBeGreaterThan(0)
  expect(compared!.length).toBe(6 - busy!.length)
  for (const { headers, body } of busy!) {
    expect(headers.get('retry-after')).toBe('10')
    expect(body).toContain('Too many people are signing in')
  }
  for (const _ of busy!) expect((await tryFrom(origin, 1, 'Ann', wrong)).status).toBe(401)
  expect((await tryFrom(origin, 1, 'Ann', wrong)).status).toBe(429)
})
