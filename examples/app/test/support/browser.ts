/** What these pages need of a browser: it keeps cookies, follows redirects and sends forms. */
export class Browser {
  cookies: Map<string, string> = new Map()
  /** The last `Set-Cookie` header of each cookie, by its name. */
  setCookies: Map<string, string> = new Map()
  /** The headers of the last redirect that it followed. */
  redirect: Headers = new Headers()
  #origin: string
  #headers: Record<string, string>

  constructor(origin: string, headers: Record<string, string> = {}) {
    this.#origin = origin
    this.#headers = headers
  }

  get(path: string): Promise<Page> {
    return this.#fetch(path, { method: 'GET' })
  }

  /** Sends the form of the page at `path` that posts to `action`. */
  async submit(path: string, action: string, fields: Record<string, string> = {}): Promise<Page> {
    return this.post(action, { ...(await this.hiddenFields(path, action)), ...fields })
  }

  /** The hidden fields of the form of the page at `path` that posts to `action`. */
  async hiddenFields(path: string, action: string): Promise<Record<string, string>> {
    const { body } = await this.get(path)
    const form = new RegExp(`<form[^>]*action="${action}".*?</form>`, 's').exec(body)?.[0]
    if (form === undefined) throw new Error(`${path} has no form for ${action}`)
    const hidden: Record<string, string> = {}
    for (const [, name, value] of form.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g))
      hidden[name!] = value!
    return hidden
  }

  post(path: string, fields: Record<string, string>): Promise<Page> {
    return this.#fetch(path, { method: 'POST', body: new URLSearchParams(fields) })
  }

  async #fetch(path: string, init: RequestInit): Promise<Page> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...this.#headers, ...(cookie && { cookie }) }
    const response = await fetch(this.#origin + path, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      this.setCookies.set(name!, line)
      if (/expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(name!)
      else this.cookies.set(name!, value!)
    }
    const body = await response.text()
    const location = response.headers.get('location')
    if (!location) return { status: response.status, path, body, headers: response.headers }
    this.redirect = response.headers
    return this.get(location)
  }
}

export interface Page {
  status: number
  path: string
  body: string
  headers: Headers
}
