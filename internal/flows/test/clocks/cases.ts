import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { memoryDriver, SessionStore } from '@session-stores/core'
import { RedisStore } from '@session-stores/redis'
import { SqliteStore } from '@session-stores/sqlite'
import { Browser } from '@session-stores/testbed/browser'
import express from 'express'
import session from 'express-session'
import '../../src/session-data.ts'

/** The fake timers of a test runner. */
export interface Clock {
  /** Stops the time at this date. */
  fake(now: Date): void
  /** Advances the time by milliseconds. */
  advance(time: number): void
  restore(): void
}

const MINUTE = 60_000
const { FLOW_STORE: place = 'memory', FLOW_PREFIX: prefix } = process.env

/**
 * Opens the store that the parent process chose: `memory`, the path of a file, or the URL of a
 * Redis.
 */
function makeStore(): SessionStore {
  if (place === 'memory') return new SessionStore(memoryDriver())
  return place.startsWith('redis:')
    ? new RedisStore({ url: place, prefix: `${prefix}:` })
    : new SqliteStore({ path: place })
}

interface App extends AsyncDisposable {
  signIn(): Promise<void>
  signOut(): Promise<void>
  user(): Promise<string | undefined>
  put(data: Record<string, string>): Promise<void>
  show(): Promise<Record<string, string>>
}

/** Starts the application under test. Its sessions expire after 30 minutes without a request. */
async function startApp(): Promise<App> {
  const store = makeStore()
  const app = express()
  app.use(
    session({
      store,
      secret: 'a secret',
      resave: false,
      saveUninitialized: false,
      rolling: true,
      cookie: { maxAge: 30 * MINUTE },
    }),
    express.urlencoded({ extended: false }),
  )
  app.post('/login', (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) return next(error)
      req.session.user = 'ada'
      res.end()
    })
  })
  app.post('/logout', (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.end()))
  })
  app.post('/data', (req, res) => {
    Object.assign(req.session, req.body)
    res.end()
  })
  app.get('/', (req, res) => {
    const { cookie, ...data } = req.session
    res.json(data)
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const browser = new Browser()
  const post = async (path: string, fields?: Record<string, string>) => {
    assert.equal((await browser.post(origin + path, fields)).status, 200)
  }
  const show = async () => JSON.parse((await browser.get(origin)).body)
  return {
    show,
    signIn: () => post('/login'),
    signOut: () => post('/logout'),
    put: (data) => post('/data', data),
    user: async () => (await show()).user,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await store.clear()
      await store.close()
    },
  }
}

/**
 * What an application's own tests do under fake timers, at the current date and at a date in the
 * past.
 */
export const cases: [name: string, check: (clock: Clock) => Promise<void>][] = [
  new Date(),
  new Date('2020-01-01'),
].flatMap((now): typeof cases => {
  const at = now.getFullYear() === 2020 ? 'at a date in the past' : 'at the current date'
  return [
    [
      `${at}, requests are answered`,
      async (clock) => {
        clock.fake(now)
        await using app = await startApp()
        await app.signIn()
        await Promise.all(Array.from({ length: 20 }, (_, i) => app.put({ [`key-${i}`]: 'saved' })))
        assert.equal(Object.keys(await app.show()).length, 21)
        await app.signOut()
        assert.equal(await app.user(), undefined)
      },
    ],
    [
      `${at}, the fake clock ends a session`,
      async (clock) => {
        await using app = await startApp()
        clock.fake(now)
        await app.signIn()
        for (let request = 0; request < 3; request++) {
          clock.advance(29 * MINUTE)
          assert.equal(await app.user(), 'ada')
        }
        clock.advance(31 * MINUTE)
        assert.equal(await app.user(), undefined)
      },
    ],
    [
      `${at}, everything works after real timers are restored`,
      async (clock) => {
        await using app = await startApp()
        await app.signIn()
        clock.fake(now)
        await app.put({ note: 'under fake timers' })
        await app.signIn()
        clock.advance(MINUTE)
        clock.restore()
        await app.signIn()
        await Promise.all(Array.from({ length: 20 }, (_, i) => app.put({ [`key-${i}`]: 'saved' })))
        assert.equal(Object.keys(await app.show()).length, 21)
        await app.signOut()
        assert.equal(await app.user(), undefined)
      },
    ],
  ]
})
