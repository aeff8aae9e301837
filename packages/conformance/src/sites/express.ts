import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Request, type Response } from 'express'
import session, { type SessionOptions, type Store } from 'express-session'

/** What one request does with its session, before it answers. */
export type Handler = (req: Request & { session: Record<string, unknown> }, res: Response) => unknown

interface Answer {
  status: number
  body: string
  /** The attributes of the session's cookie, in lower case, where one was set. */
  cookie: Map<string, string> | undefined
}

/** A browser: it keeps the cookie, and sends one request to each handler it is given. */
export interface Browser {
  request(handler: Handler): Promise<Answer>
  /** The `Cookie` header. */
  cookie: string | undefined
  headers: Record<string, string>
}

export interface Site {
  browser(): Browser
}

export interface App extends Site {
  /** The calls of the store so far, in order, and forgets them. Waits until all of them are answered. */
  calls(): Promise<string>
}

/** A method of the session that calls back, as a promise. */
export const done = (start: (callback: (error?: unknown) => void) => unknown): Promise<void> =>
  new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()))
  })

/** Only looks whether there is a session. */
export const nothing: Handler = () => {}
const tell: Handler = (req, res) => {
  const { cookie, ...data } = req.session
  res.json(data)
}
/** Puts this into the session. */
export const put =
  (data: object): Handler =>
  (req) => {
    Object.assign(req.session, data)
  }

/** What the browser's session holds. */
export async function dataOf(browser: Browser): Promise<object> {
  const { status, body } = await browser.request(tell)
  assert.equal(status, 200)
  return JSON.parse(body)
}

/** Another browser with the same cookie. */
export function tab(app: Site, { cookie }: Browser): Browser {
  return Object.assign(app.browser(), { cookie })
}

/** The browser's session holds this, and nothing where `undefined` is given. What a store adds is another rule's. */
export async function expectSession(
  browser: Browser,
  expected: Record<string, unknown>,
  message?: string,
): Promise<void> {
  const found = (await dataOf(browser)) as Record<string, unknown>
  const named = Object.keys(expected).map((key) => [key, found[key]])
  assert.deepEqual(Object.fromEntries(named), expected, message)
}

/** The id of the browser's session. */
export async function idOf(browser: Browser): Promise<string> {
  return (await browser.request((req, res) => void res.end(req.sessionID))).body
}

/** Runs `check` with a server of express and express-session on the store, whose calls it writes down. */
export function withApp(
  store: Store,
  options: Partial<SessionOptions>,
  check: (app: App) => Promise<void>,
): Promise<void> {
  const calls = record(store)
  return withSite(store, options, ({ browser }) => check({ browser, calls }))
}

/** Runs `check` with a server of express and express-session on the store. */
export async function withSite(
  store: Store,
  options: Partial<SessionOptions>,
  check: (site: Site) => Promise<void>,
): Promise<void> {
  const handlers = new Map<string, Handler>()
  const app = express()
  app.set('env', 'test')
  app.use(session({ store, secret: 'a secret', resave: false, saveUninitialized: false, ...options }))
  app.use(async (req: Request, res: Response) => {
    await handlers.get(req.path)!(req as never, res)
    if (!res.writableEnded) res.end('the whole answer')
  })
  app.use((error: Error, _req: Request, res: Response, next: (error: Error) => void) => {
    if (res.headersSent) return next(error)
    res.status(500).end(String((error as { code?: string }).code ?? error))
  })
  const server = createServer(app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let requests = 0

  function browser(): Browser {
    const one: Browser = {
      cookie: undefined,
      headers: {},
      async request(handler) {
        const path = `/${++requests}`
        handlers.set(path, handler)
        const headers = { ...one.headers, ...(one.cookie !== undefined && { cookie: one.cookie }) }
        const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
        const body = await response.text()
        const [set] = response.headers.getSetCookie()
        if (set !== undefined) one.cookie = set.slice(0, set.indexOf(';'))
        return { status: response.status, body, cookie: set === undefined ? set : attributes(set) }
      },
    }
    return one
  }

  try {
    await check({ browser })
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const verbs = ['get', 'set', 'touch', 'destroy', 'regenerate'] as const

/** Writes down the calls of the store from now on. */
function record(store: Store): () => Promise<string> {
  const made: string[] = []
  const open = new Set<Promise<void>>()
  for (const verb of verbs) {
    const original = (store as unknown as Record<string, (...args: unknown[]) => unknown>)[verb]!.bind(store)
    const recorded = (...args: unknown[]): unknown => {
      made.push(verb)
      const callback = args.at(-1)
      const answered = Promise.withResolvers<void>()
      open.add(answered.promise)
      const end = () => {
        open.delete(answered.promise)
        answered.resolve()
      }
      if (typeof callback === 'function')
        return original(...args.slice(0, -1), (...answer: unknown[]) => {
          end()
          callback(...answer)
        })
      const promise = original(...args) as Promise<unknown>
      promise.then(end, end)
      return promise
    }
    Object.defineProperty(store, verb, { value: recorded })
  }
  return async () => {
    while (open.size > 0) await Promise.all(open)
    return made.splice(0).join(' ')
  }
}

function attributes(header: string): Map<string, string> {
  return new Map(
    header.split('; ').map((part) => {
      const [name, value = ''] = part.split('=')
      return [name!.toLowerCase(), value]
    }),
  )
}
