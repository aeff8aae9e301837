/** A browser as far as these pages need one: it keeps cookies, follows redirects and sends forms with their hidden fields. */
export class Browser {
  cookies: Map<string, string> = new Map()
  /** The `Set-Cookie` header of the last answer that had one. */
  setCookie = ''
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
    const { body } = await this.get(path)
    const form = new RegExp(`<form[^>]*action="${action}".*?</form>`, 's').exec(body)?.[0]
    if (form === undefined) throw new Error(`${path} has no form for ${action}`)
    const hidden: Record<string, string> = {}
    for (const [, name, value] of form.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g))
      hidden[name!] = value!
    return this.post(action, { ...hidden, ...fields })
  }

  post(path: string, fields: Record<string, string>): Promise<Page> {
    return this.#fetch(path, { method: 'POST', body: new URLSearchParams(fields) })
  }

  async #fetch(path: string, init: RequestInit): Promise<Page> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...this.#headers, ...(cookie && { cookie }) }
    const response = await fetch(this.#origin + path, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      this.setCookie = line
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (/expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(name!)
      else this.cookies.set(name!, value!)
    }
    const body = await response.text()
    const location = response.headers.get('location')
    return location ? this.get(location) : { status: response.status, path, body, headers: response.headers }
  }
}

export interface Page {
  status: number
  path: string
  body: string
  headers: Headers
}
