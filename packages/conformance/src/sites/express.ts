import assert from 'node:assert/strict'
import type { SessionOptions, Store } from 'express-session'
import { currentHost, type Handler } from './host.ts'
import { withServer } from './server.ts'

export { type Handler, type Host, makeExpressHost, WHOLE_ANSWER, withHost } from './host.ts'

interface Answer {
  status: number
  body: string
  /** The attributes of the session cookie by their names in lower case, if a cookie was set. */
  cookie: Map<string, string> | undefined
}

/** A browser that keeps the session cookie. */
export interface Browser {
  /** Sends a request that is answered by this handler. */
  request(handler: Handler): Promise<Answer>
  /** The `Cookie` header. */
  cookie: string | undefined
  /** Further headers of every request. */
  headers: Record<string, string>
}

/** An application that is listening: of Express, or of another host (`withHost`). */
export interface Site {
  /** Returns a new browser without a cookie. */
  browser(): Browser
}

/** A site whose store calls are recorded. */
export interface App extends Site {
  /**
   * Waits until every store call is answered. Returns the names of the methods that were called
   * since the last time, in order and separated by spaces: `get touch`
   */
  calls(): Promise<string>
}

/**
 * Turns a method that takes a callback into a promise.
 * @example await done((callback) => req.session.regenerate(callback))
 */
export const done = (start: (callback: (error?: unknown) => void) => unknown): Promise<void> =>
  new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()))
  })

/** A handler that neither reads nor changes the session. */
export const nothing: Handler = () => {}

const sendData: Handler = (req, res) => {
  const { cookie, ...data } = req.session
  res.json(data)
}

/** Returns a handler that assigns these properties to the session. */
export const put =
  (data: object): Handler =>
  (req) => {
    Object.assign(req.session, data)
  }

/** Requests what the session of the browser holds, without its cookie. */
export async function dataOf(browser: Browser): Promise<object> {
  const { status, body } = await browser.request(sendData)
  assert.equal(status, 200)
  return JSON.parse(body)
}

/** Returns a second browser with the same cookie, like another tab of the same browser. */
export function tab(app: Site, { cookie }: Browser): Browser {
  return Object.assign(app.browser(), { cookie })
}

/**
 * Requests the session of the browser, and asserts that it holds these values. `undefined` asserts
 * that there is no such key. Further keys are ignored, because a store may add its own.
 * @throws AssertionError if the session differs.
 */
export async function expectSession(
  browser: Browser,
  expected: Record<string, unknown>,
  message?: string,
): Promise<void> {
  const found = (await dataOf(browser)) as Record<string, unknown>
  const picked = Object.keys(expected).map((key) => [key, found[key]])
  assert.deepEqual(Object.fromEntries(picked), expected, message)
}

/** Requests the id of the session of the browser. */
export async function idOf(browser: Browser): Promise<string> {
  return (await browser.request((req, res) => void res.end(req.sessionID))).body
}

/**
 * Runs `check` with an application that keeps its sessions in the store, and records the
 * calls of the store.
 * @param options Options of express-session that override those of `withSite`.
 * @example
 * await withApp(store, {}, async (app) => {
 *   const browser = app.browser()
 *   await browser.request(put({ name: 'Ada' }))
 *   assert.equal(await app.calls(), 'set')
 * })
 */
export function withApp(
  store: Store,
  options: Partial<SessionOptions>,
  check: (app: App) => Promise<void>,
): Promise<void> {
  const calls = recordCalls(store)
  return withSite(store, options, ({ browser }) => check({ browser, calls }))
}

/**
 * Runs `check` with an application that keeps its sessions in the store, and closes the
 * application afterwards. By default `resave` and `saveUninitialized` are `false`.
 * @param options Options of express-session that override the defaults.
 * @example
 * await withSite(store, { cookie: { maxAge: 60_000 } }, async (site) => {
 *   const browser = site.browser()
 *   await browser.request(put({ name: 'Ada' }))
 *   await expectSession(browser, { name: 'Ada' })
 * })
 */
export async function withSite(
  store: Store,
  options: Partial<SessionOptions>,
  check: (site: Site) => Promise<void>,
): Promise<void> {
  const handlers = new Map<string, Handler>()
  const settings = { store, secret: 'a secret', resave: false, saveUninitialized: false, ...options }
  const listener = await currentHost()(settings, (req, res) => handlers.get(req.url)!(req, res))
  await withServer(listener, (url) => check({ browser: () => createBrowser(url, handlers) }))
}

/** Makes a browser that registers the handler of each request under a path of its own. */
function createBrowser(url: string, handlers: Map<string, Handler>): Browser {
  const browser: Browser = {
    cookie: undefined,
    headers: {},
    async request(handler) {
      const path = `/${handlers.size + 1}`
      handlers.set(path, handler)
      const { cookie } = browser
      const headers = { ...browser.headers, ...(cookie !== undefined && { cookie }) }
      const response = await fetch(url + path, { headers })
      const body = await response.text()
      const [header] = response.headers.getSetCookie()
      if (header !== undefined) browser.cookie = header.slice(0, header.indexOf(';'))
      return { status: response.status, body, cookie: header === undefined ? header : toAttributes(header) }
    },
  }
  return browser
}

const METHODS = ['get', 'set', 'touch', 'destroy', 'regenerate'] as const

/** Records the calls of the store from now on. Returns the function `calls` of an `App`. */
function recordCalls(store: Store): () => Promise<string> {
  const recorded: string[] = []
  const open = new Set<Promise<void>>()
  for (const method of METHODS) {
    const original = (store as unknown as Record<string, (...args: unknown[]) => unknown>)[method]!.bind(
      store,
    )
    const record = (...args: unknown[]): unknown => {
      recorded.push(method)
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
    Object.defineProperty(store, method, { value: record })
  }
  return async () => {
    while (open.size > 0) await Promise.all(open)
    return recorded.splice(0).join(' ')
  }
}

function toAttributes(header: string): Map<string, string> {
  return new Map(
    header.split('; ').map((part) => {
      const [name, value = ''] = part.split('=')
      return [name!.toLowerCase(), value]
    }),
  )
}
