import type { TokensFile } from './tokens-file.ts'

/** What went wrong, in a sentence for the user. */
export class ClientError extends Error {}

interface TokenAnswer {
  access_token: string
  /** Missing where the refresh token stays the same. */
  refresh_token?: string
  code?: string
  error?: string
}

/** Calls the API, and gets new access tokens when it needs them. */
export class NotesClient {
  readonly #file: TokensFile

  constructor(file: TokensFile) {
    this.#file = file
  }

  async signIn(site: string, name: string, password: string, device: string): Promise<void> {
    const { response, answer } = await this.#post<TokenAnswer>(site, '/api/sign-in', {
      name,
      password,
      device,
    })
    if (!response.ok) throw new ClientError(answer.error ?? `The site answered with ${response.status}.`)
    this.#file.write({ site, refreshToken: answer.refresh_token!, accessToken: answer.access_token })
  }

  async list(): Promise<string[]> {
    return (await this.#call('GET')).notes
  }

  async add(text: string): Promise<void> {
    await this.#call('POST', { text })
  }

  /** Ends the session, then forgets the tokens. Where the site cannot be reached, nothing changes. */
  async signOut(): Promise<void> {
    const { site, refreshToken } = this.#tokens()
    const { response } = await this.#post(site, '/revoke', { token: refreshToken })
    if (!response.ok)
      throw new ClientError(`The site answered with ${response.status}. You are still signed in.`)
    this.#file.remove()
  }

  async #call(method: string, body?: object): Promise<{ notes: string[] }> {
    for (let attempt = 1; ; attempt++) {
      const { site, accessToken } = this.#tokens()
      if (accessToken !== undefined) {
        const response = await reach(`${site}/api/notes`, {
          method,
          headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
          ...(body && { body: JSON.stringify(body) }),
        })
        if (response.ok) return (await response.json()) as { notes: string[] }
        // Only a token that is refused is worth another one.
        if (response.status !== 401 || attempt === 2) throw new ClientError(await reasonOf(response))
      }
      await this.#refresh()
    }
  }

  async #refresh(): Promise<void> {
    const { site, refreshToken } = this.#tokens()
    const grant = { grant_type: 'refresh_token', refresh_token: refreshToken }
    const { response, answer } = await this.#post<TokenAnswer>(site, '/token', grant)
    if (response.ok) {
      // Another run may have got a newer token meanwhile, so only a new one is written.
      const newest = answer.refresh_token ?? this.#tokens().refreshToken
      return this.#file.write({ site, refreshToken: newest, accessToken: answer.access_token })
    }
    // The session is over only where the site says so. A site that cannot answer ends nothing.
    if (answer.error !== 'invalid_grant')
      throw new ClientError(`The site answered with ${response.status}. Try again.`)
    this.#file.remove()
    throw new ClientError('You are signed out. Sign in again.')
  }

  #tokens() {
    const tokens = this.#file.read()
    if (tokens === undefined) throw new ClientError('You are not signed in. Use: notes sign-in <name>')
    return tokens
  }

  async #post<T = unknown>(
    site: string,
    path: string,
    body: object,
  ): Promise<{ response: Response; answer: T }> {
    const response = await reach(site + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { response, answer: (await response.json().catch(() => ({}))) as T }
  }
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init).catch((error: unknown) => {
    throw new ClientError(`${new URL(url).origin} cannot be reached.`, { cause: error })
  })
}

async function reasonOf(response: Response): Promise<string> {
  const { error } = (await response.json().catch(() => ({}))) as { error?: string }
  return error ?? `The site answered with ${response.status}.`
}
