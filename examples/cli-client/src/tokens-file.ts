import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** What the client keeps between two runs. */
export interface KeptTokens {
  site: string
  refreshToken: string
  accessToken?: string
}

/** The file of the tokens. Only its owner can read it, as with the keys of ssh. */
export class TokensFile {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  read(): KeptTokens | undefined {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8')) as KeptTokens
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** Replaces the file at once, so that another run never reads half of it. */
  write(tokens: KeptTokens): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
    const draft = `${this.#path}.${process.pid}`
    writeFileSync(draft, JSON.stringify(tokens), { mode: 0o600 })
    renameSync(draft, this.#path)
  }

  remove(): void {
    rmSync(this.#path, { force: true })
  }
}
