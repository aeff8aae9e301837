import { redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from '../pages.ts'
import { type Server, start } from '../program.ts'

const user = { name: 'ada', password: 'correct horse' }

/** Reads the figures of a page of metrics by their names and labels. */
async function scrape({ origin }: Server): Promise<(series: string) => number> {
  const text = await (await fetch(`${origin}/metrics`)).text()
  const figures = new Map(
    [...text.matchAll(/^(session_store_\S+) (\S+)$/gm)].map(([, series, value]) => [series!, Number(value)]),
  )
  return (series) => figures.get(`session_store_${series}`) ?? 0
}

/** Declares the tests of docs/recipes/prometheus.md. */
export function testPrometheus({ folder }: Page): void {
  // The policy makes the store warn.
  const args = ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']
  describeWith(
    'on Redis',
    () => redisProcess({ args }),
    (redis) => {
      let server: Server
      beforeAll(async () => {
        server = await start(folder, { env: { REDIS_URL: redis.url } })
      })
      afterAll(() => server?.[Symbol.asyncDispose]())

      /** Returns how much a series has grown since a scrape. */
      const grown = async (before: (series: string) => number) => {
        const after = await scrape(server)
        return (series: string) => after(series) - before(series)
      }
      const calls = (verb: string, outcome = 'ok') =>
        `call_duration_seconds_count{driver="redis",verb="${verb}",outcome="${outcome}"}`
      const batches = (verb: string, figure: 'count' | 'sum') =>
        `call_sessions_${figure}{driver="redis",verb="${verb}"}`

      test('counts the calls and the ended sessions of a sign-in, requests and a sign-out', async () => {
        const before = await scrape(server)
        await server.ask('/sign-in', user)
        for (let request = 0; request < 5; request++) await server.ask('/')
        const requests = await grown(before)
        expect([calls('read'), calls('write'), calls('touch')].map(requests)).toEqual([5, 1, 5])
        expect(requests('events_total{event="ended"}')).toBe(0)
        await server.ask('/sign-out', {})
        const all = await grown(before)
        // The request reads the session, and the sign-out reads it once more before it ends it.
        expect([calls('read'), calls('write'), calls('touch')].map(all)).toEqual([7, 2, 5])
        expect(all('events_total{event="ended"}')).toBe(1)
        const seconds = all('call_duration_seconds_sum{driver="redis",verb="read",outcome="ok"}')
        expect(seconds).toBeGreaterThan(0)
        expect(seconds).toBeLessThan(60)
      })

      test('counts how many sessions shared the calls', async () => {
        const cookies: string[] = []
        for (let browser = 0; browser < 20; browser++) {
          await server.ask('/sign-in', user, { cookie: '' })
          cookies.push(server.cookie)
        }
        const before = await scrape(server)
        await Promise.all(cookies.map((cookie) => server.ask('/', undefined, { cookie })))
        const all = await grown(before)
        expect(all(batches('read', 'sum'))).toBe(20)
        expect(all(batches('read', 'count'))).toBe(all(calls('read')))
        expect(all(batches('read', 'count'))).toBeLessThanOrEqual(20)
      })

      test('counts the warnings', async () => {
        expect((await scrape(server))('warnings_total{code="SESSION_STORES_EVICTION"}')).toBe(1)
      })

      test('counts errors by their code, and answers a scrape while the database is down', async () => {
        await server.ask('/sign-in', user)
        const before = await scrape(server)
        await redis.stop()
        expect((await server.ask('/')).status).toBe(503)
        expect((await server.ask('/')).status).toBe(503)
        const all = await grown(before)
        expect(all(calls('read', 'UNAVAILABLE'))).toBe(2)
        expect(all('request_errors_total{code="UNAVAILABLE"}')).toBe(2)
      })

      test('has no id, handle, user or address in a label', async () => {
        const text = await (await fetch(`${server.origin}/metrics`)).text()
        const values = [...text.matchAll(/\w+="([^"]*)"/g)].map(([, value]) => value!)
        expect(values.length).toBeGreaterThan(20)
        expect(values.filter((value) => !/^([a-z]+|[A-Z_]+|[\d.]+|\+Inf)$/.test(value))).toEqual([])
        expect(values).not.toContain('ada')
      })
    },
  )
}
