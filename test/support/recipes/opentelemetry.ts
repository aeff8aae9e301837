import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mongoServer, postgresServer, redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { expect, test } from 'vitest'
import { type Collector, openCollector, type Span } from '../otlp.ts'
import type { Page } from '../pages.ts'
import { type Server, start } from '../program.ts'

const user = { name: 'ada', password: 'correct horse' }
const secret = 'Example Street'
const hash = (value: string) => createHash('sha256').update(value).digest('base64url')

interface Seen {
  collector: Collector
  spans: Span[]
  /** The spans of the database's client. */
  queries: Span[]
  /** The id of the session, which the cookie holds. */
  id: string
}

interface Setting {
  readonly url: string
  readonly values?: boolean
  readonly seal?: boolean
  readonly telemetry?: string
}

/** Whether the spans hold a text, also as hexadecimal digits or base64. */
function hold(spans: Span[], text: string): boolean {
  const bytes = Buffer.from(text)
  // In base64 a text looks different at each offset; the middle of it is the same each third byte.
  const inBase64 = [0, 1, 2].map((offset) =>
    Buffer.from(bytes.subarray(offset)).toString('base64').slice(0, -4).replace(/=+$/, ''),
  )
  const forms = [text, bytes.toString('hex'), ...inBase64]
  return spans.some((span) => forms.some((form) => span.text.includes(form)))
}

/** Declares the tests of docs/recipes/opentelemetry.md. */
export function testOpenTelemetry({ folder, markdown }: Page): void {
  /** Signs in, requests a page three times and signs out. Returns what was exported. */
  async function watch(setting: Setting, more?: (server: Server) => Promise<void>): Promise<Seen> {
    const { url, values = false, seal = false, telemetry = 'telemetry.mjs' } = setting
    const collector = await openCollector()
    const env = {
      ...collector.env,
      DATABASE_URL: url,
      SPANS_WITH_VALUES: String(values),
      SEAL_KEY: seal ? randomBytes(32).toString('base64url') : '',
    }
    const server = await start(folder, { env, args: ['--import', `./${telemetry}`, 'server.mjs'] })
    await server.ask('/sign-in', user)
    const id = /^sid=s:(.+)\./.exec(decodeURIComponent(server.cookie))![1]!
    for (let request = 0; request < 3; request++)
      expect((await server.ask('/')).body).toEqual({ user: 'ada' })
    await server.ask('/sign-out', {})
    await more?.(server)
    // The program exports the rest before it ends.
    await server[Symbol.asyncDispose]()
    await collector[Symbol.asyncDispose]()
    const spans = collector.spans()
    const queries = spans.filter(({ scope }) => scope !== 'http')
    expect(queries.length).toBeGreaterThan(5)
    expect(spans.length - queries.length).toBeGreaterThan(4)
    expect(hold(spans, id)).toBe(false)
    // Each save is in the trace of the request that caused it.
    const saves = queries.filter(({ text }) => /EVAL|INSERT|update|insert/.test(text))
    expect(saves.length).toBeGreaterThan(0)
    expect(saves.every(({ isChild }) => isChild)).toBe(true)
    return { collector, spans, queries, id }
  }

  describeWith('on Redis', redisProcess, (redis) => {
    const { url } = redis

    test('hides the sessions where they are sealed', async () => {
      const { queries, id } = await watch({ url, seal: true })
      expect(hold(queries, secret)).toBe(false)
      expect(hold(queries, hash(id))).toBe(true)
    })

    test('hides the arguments where the serializer leaves them out', async () => {
      const [option] = /new IORedisInstrumentation\(\{.+?\}\)/.exec(markdown)!
      const program = readFileSync(join(folder, 'telemetry.mjs'), 'utf8')
      const changed = program.replace('new IORedisInstrumentation()', option!)
      expect(changed).not.toBe(program)
      writeFileSync(join(folder, 'names.mjs'), changed)
      const { queries, id } = await watch({ url, telemetry: 'names.mjs' })
      for (const text of [secret, hash(id), hash('user:ada')]) expect(hold(queries, text), text).toBe(false)
    })

    test('counts calls, ended sessions and errors, and shows sessions in clear in its spans', async () => {
      const { collector, queries, id } = await watch({ url }, async (server) => {
        await server.ask('/sign-in', user)
        await redis.stop()
        expect((await server.ask('/')).status).toBe(503)
      })
      for (const text of [secret, hash(id), hash('user:ada')]) expect(hold(queries, text), text).toBe(true)
      const calls = (verb: string) =>
        collector.metric('session_store.call.duration', { driver: 'redis', verb })
      // A sign-out reads twice; each request of a page reads and touches.
      expect(['read', 'write', 'touch'].map(calls)).toEqual([3 + 2, 1 + 1 + 1, 3])
      const failed = { driver: 'redis', verb: 'read', 'error.type': 'UNAVAILABLE' }
      expect(collector.metric('session_store.call.duration', failed)).toBe(1)
      expect(collector.metric('session_store.call.sessions', { driver: 'redis', verb: 'touch' })).toBe(3)
      expect(collector.metric('session_store.events', { event: 'ended' })).toBe(1)
    })
  })

  testClient('on PostgreSQL', postgresServer)
  testClient('on MongoDB', mongoServer)

  /** Declares the tests of a client whose instrumentation leaves values out unless it is told not to. */
  function testClient(name: string, startServer: typeof postgresServer): void {
    describeWith(name, startServer, ({ url }) => {
      test.each([
        ['shows no values', {}, false],
        ['shows sessions in clear with all values', { values: true }, true],
        ['hides sessions that are sealed, also with all values', { values: true, seal: true }, false],
      ])('%s', async (_name, setting, isShown) => {
        const { queries, id } = await watch({ url, ...setting })
        expect(hold(queries, secret)).toBe(isShown)
        expect(hold(queries, hash(id))).toBe('values' in setting)
        expect(hold(queries, hash('user:ada'))).toBe('values' in setting)
      })
    })
  }
}
