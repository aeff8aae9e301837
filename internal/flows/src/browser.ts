import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

export interface Page {
  status: number
  url: string
  body: string
}

/** A browser as far as the flows need one: it keeps the cookies of each site, and follows redirects. */
export class Browser {
  readonly #jars: Map<string, Map<string, string>> = new Map()

  get(url: string): Promise<Page> {
    return this.#send(url)
  }

  post(url: string, fields: Record<string, string> = {}): Promise<Page> {
    return this.#send(url, new URLSearchParams(fields).toString())
  }

  /** The `Cookie` header that it sends to this site. */
  cookieFor(url: string): string {
    return [...this.#jarOf(url)].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** A second browser that holds the same cookies. */
  copy(): Browser {
    const other = new Browser()
    for (const [origin, jar] of this.#jars) other.#jars.set(origin, new Map(jar))
    return other
  }

  #jarOf(url: string): Map<string, string> {
    const { origin } = new URL(url)
    const jar = this.#jars.get(origin) ?? new Map<string, string>()
    this.#jars.set(origin, jar)
    return jar
  }

  /** Not by `fetch`, whose open connections wait for a `setImmediate` that fake timers hold back. */
  async #send(url: string, form?: string): Promise<Page> {
    const cookie = this.cookieFor(url)
    const headers = {
      ...(cookie && { cookie }),
      ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
    }
    const sending = request(url, { method: form === undefined ? 'GET' : 'POST', headers, agent: false })
    sending.end(form)
    const [response] = (await once(sending, 'response')) as [IncomingMessage]
    this.#keep(url, response.headers['set-cookie'] ?? [])
    const body = await text(response)
    const { location } = response.headers
    if (location === undefined) return { status: response.statusCode!, url, body }
    return this.get(new URL(location, url).href)
  }

  #keep(url: string, lines: string[]): void {
    const jar = this.#jarOf(url)
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      const expires = /;\s*expires=([^;]+)/i.exec(line)?.[1]
      if (expires !== undefined && Date.parse(expires) <= Date.now()) jar.delete(name!)
      else jar.set(name!, value!)
    }
  }
}
