import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { SessionStore } from '@session-stores/core'
import { randomFrom } from '@session-stores/testbed/random'
import express from 'express'
import session from 'express-session'
import type { RequestSession } from '../session.ts'

/** The number of browsers, each with one session at a time. */
const VISITORS = 3000
/** The number of requests that are under way at once. */
const CONCURRENCY = 64
/** The share of requests that come by HTTP. The others make the calls that such a request makes. */
const HTTP_SHARE = 0.05

/** A request as express-session sees it. */
interface SessionRequest {
  sessionID: string
  sessionStore: SessionStore
  session?: RequestSession
}

interface Visitor {
  readonly user: string
  /** The id of the visitor's session, for requests without HTTP. */
  id: string
  /** The visitor's cookie, for requests by HTTP. */
  cookie?: string | undefined
}

/** Makes the requests of an application with express-session, without pauses. */
export class Load {
  requests = 0
  failed = 0
  readonly codes: Record<string, number> = {}
  readonly #store: SessionStore
  readonly #random: () => number
  readonly #lifetime: number
  #agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })
  readonly #visitors: Visitor[] = Array.from({ length: VISITORS }, (_, i) => ({
    user: `user-${i % (VISITORS / 3)}`,
    id: randomUUID(),
  }))
  #server: Server | undefined
  #isOn = false
  #running: Promise<unknown> = Promise.resolve()

  /** @param lifetime how long a session lives without a request, in milliseconds */
  constructor(store: SessionStore, seed: number, lifetime: number) {
    this.#store = store
    this.#random = randomFrom(seed)
    this.#lifetime = lifetime
  }

  /** Starts the application's web server. */
  async listen(): Promise<void> {
    const app = express()
    app.use(
      session({
        store: this.#store,
        secret: 'soak',
        resave: false,
        saveUninitialized: false,
        cookie: { maxAge: this.#lifetime },
      }),
    )
    app.get('/visit', (req, res) => {
      const current = req.session as unknown as RequestSession
      current.user ??= String(req.query.user)
      current.visits = ((current.visits as number) ?? 0) + 1
      res.end()
    })
    app.get('/look', (_, res) => res.end())
    app.get('/login', (req, res, next) => {
      req.session.regenerate((error) => {
        if (error) return next(error)
        Object.assign(req.session, { user: req.query.user })
        res.end()
      })
    })
    app.get('/logout', (req, res, next) => {
      req.session.destroy((error) => (error ? next(error) : res.end()))
    })
    app.use(((error, _req, res, _next) => {
      res.status(503).end(error.code ?? 'UNEXPECTED')
    }) as express.ErrorRequestHandler)
    this.#server = app.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  start(): void {
    this.#isOn = true
    this.#running = Promise.all(Array.from({ length: CONCURRENCY }, () => this.#run()))
  }

  /** Resolves when all requests have ended. */
  async stop(): Promise<void> {
    this.#isOn = false
    await this.#running
    // How many connections the requests by HTTP had is chance, and says nothing about the store.
    this.#agent.destroy()
    this.#agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })
  }

  async close(): Promise<void> {
    this.#server?.close()
  }

  async #run(): Promise<void> {
    while (this.#isOn) {
      const visitor = this.#visitors[Math.floor(this.#random() * VISITORS)]!
      try {
        await (this.#random() < HTTP_SHARE ? this.#requestByHttp(visitor) : this.#request(visitor))
        this.requests++
      } catch (error) {
        const { code = 'UNEXPECTED' } = error as { code?: string }
        // Another request has just ended the session: the visitor signs in again.
        if (code === 'GONE') continue
        this.failed++
        this.codes[code] = (this.codes[code] ?? 0) + 1
        // People wait a moment where a page fails.
        await pause(20)
      }
    }
  }

  /** Makes the calls that express-session makes for a request. */
  async #request(visitor: Visitor): Promise<void> {
    const store = this.#store
    const req: SessionRequest = { sessionID: visitor.id, sessionStore: store }
    const found = await store.get(visitor.id)
    if (found === null) return this.#signIn(visitor, req)
    const current = store.createSession(req as never, found) as unknown as RequestSession
    current.touch()
    const choice = this.#random()
    if (choice < 0.72) await store.touch(visitor.id, current)
    else if (choice < 0.93) {
      current.visits = ((current.visits as number) ?? 0) + 1
      await store.set(visitor.id, current)
    } else if (choice < 0.95) {
      await store.update(visitor.id, (data) => {
        const keys = data as unknown as Record<string, unknown>
        keys.updates = ((keys.updates as number) ?? 0) + 1
      })
    } else if (choice < 0.965) {
      await store.destroy(visitor.id)
      visitor.id = randomUUID()
    } else if (choice < 0.98) {
      await new Promise<void>((resolve, reject) => {
        store.regenerate(req as never, (error) => (error ? reject(error) : resolve()))
      })
      await this.#save(visitor, req)
    } else if (choice < 0.999) {
      // The visitor goes without signing out, so the session expires.
      visitor.id = randomUUID()
    } else await store.revokeUser(visitor.user)
  }

  async #signIn(visitor: Visitor, req: SessionRequest): Promise<void> {
    ;(this.#store as unknown as { generate(req: SessionRequest): void }).generate(req)
    await this.#save(visitor, req)
  }

  async #save(visitor: Visitor, req: SessionRequest): Promise<void> {
    visitor.id = req.sessionID
    Object.assign(req.session!, { user: visitor.user, name: 'Ada Lovelace', cart: ['book', 'lamp'] })
    await this.#store.set(req.sessionID, req.session!)
  }

  async #requestByHttp(visitor: Visitor): Promise<void> {
    const choice = this.#random()
    const page = choice < 0.6 ? 'look' : choice < 0.9 ? 'visit' : choice < 0.95 ? 'login' : 'logout'
    const { port } = this.#server!.address() as AddressInfo
    const outgoing = request({
      agent: this.#agent,
      port,
      path: `/${page}?user=${visitor.user}`,
      headers: visitor.cookie === undefined ? {} : { cookie: visitor.cookie },
    })
    outgoing.end()
    const [response] = await once(outgoing, 'response')
    let text = ''
    for await (const chunk of response) text += chunk
    const [cookie] = response.headers['set-cookie'] ?? []
    if (cookie !== undefined) visitor.cookie = cookie.split(';')[0]
    if (page === 'logout') visitor.cookie = undefined
    if (response.statusCode !== 200) throw Object.assign(new Error('a request failed'), { code: text })
  }
}
