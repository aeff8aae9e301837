import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** The page that a browser shows after all redirects. */
export interface Page {
  status: number
  url: string
  /** The path of the URL, without its query. */
  path: string
  body: string
  headers: Headers
}

/**
 * A minimal browser for tests. It keeps cookies for each site, follows redirects and sends forms.
 *
 * @example
 * const browser = new Browser('http://127.0.0.1:3000')
 * const { body } = await browser.submit('/sign-in', '/sign-in', { name: 'Ada', password })
 */
export class Browser {
  /** The last `Set-Cookie` header of each cookie, by the name of the cookie. */
  readonly setCookies: Map<string, string> = new Map()
  /** The headers of the last redirect that the browser followed. */
  redirect: Headers = new Headers()
  readonly #jars: Map<string, Map<string, string>> = new Map()
  readonly #origin: string | undefined
  readonly #headers: Readonly<Record<string, string>>

  /**
   * @param origin the site that relative URLs refer to
   * @param headers additional headers of each request
   */
  constructor(origin?: string, headers: Readonly<Record<string, string>> = {}) {
    this.#origin = origin
    this.#headers = headers
  }

  /** The cookies of the origin by their names. They may be changed. */
  get cookies(): Map<string, string> {
    if (this.#origin === undefined) throw new TypeError('the browser has no origin')
    return this.#jarOf(this.#origin)
  }

  get(url: string): Promise<Page> {
    return this.#send(url)
  }

  post(url: string, fields: Record<string, string> = {}): Promise<Page> {
    return this.#send(url, new URLSearchParams(fields).toString())
  }

  /**
   * Loads a page and posts its form for `action`, with the hidden fields of the form.
   * @throws Error if the page has no such form
   */
  async submit(url: string, action: string, fields: Record<string, string> = {}): Promise<Page> {
    return this.post(action, { ...(await this.hiddenFields(url, action)), ...fields })
  }

  /**
   * Loads a page and returns the hidden fields of its form for `action`.
   * @throws Error if the page has no such form
   */
  async hiddenFields(url: string, action: string): Promise<Record<string, string>> {
    const { body } = await this.get(url)
    const form = new RegExp(`<form[^>]*action="${action}".*?</form>`, 's').exec(body)?.[0]
    if (form === undefined) throw new Error(`${url} has no form for ${action}`)
    const hidden: Record<string, string> = {}
    for (const [, name, value] of form.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g))
      hidden[name!] = value!
    return hidden
  }

  /** Returns the `Cookie` header that the browser sends to this site. */
  cookieFor(url: string): string {
    return [...this.#jarOf(url)].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** Returns a second browser with the same cookies. */
  copy(): Browser {
    const other = new Browser(this.#origin, this.#headers)
    for (const [origin, jar] of this.#jars) other.#jars.set(origin, new Map(jar))
    return other
  }

  #jarOf(url: string): Map<string, string> {
    const { origin } = new URL(url)
    const jar = this.#jars.get(origin) ?? new Map<string, string>()
    this.#jars.set(origin, jar)
    return jar
  }

  async #send(target: string, form?: string): Promise<Page> {
    const { href: url, pathname: path } = new URL(target, this.#origin)
    const cookie = this.cookieFor(url)
    const headers = {
      // As browsers do, with the forms of the site's own pages.
      'sec-fetch-site': form === undefined ? 'none' : 'same-origin',
      ...this.#headers,
      ...(cookie && { cookie }),
      ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
    }
    // `fetch` closes its connections in a `setImmediate`, which fake timers would hold back.
    const sending = request(url, { method: form === undefined ? 'GET' : 'POST', headers, agent: false })
    sending.end(form)
    const [response] = (await once(sending, 'response')) as [IncomingMessage]
    this.#keepCookies(url, response.headers['set-cookie'] ?? [])
    const body = await text(response)
    const received = toHeaders(response)
    const { location } = response.headers
    if (location === undefined) return { status: response.statusCode!, url, path, body, headers: received }
    this.redirect = received
    return this.get(new URL(location, url).href)
  }

  #keepCookies(url: string, lines: readonly string[]): void {
    const jar = this.#jarOf(url)
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      this.setCookies.set(name!, line)
      const expires = /;\s*expires=([^;]+)/i.exec(line)?.[1]
      if (expires !== undefined && Date.parse(expires) <= Date.now()) jar.delete(name!)
      else jar.set(name!, value!)
    }
  }
}

function toHeaders({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!)
  return headers
}
