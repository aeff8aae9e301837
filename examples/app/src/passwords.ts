import { type ScryptOptions, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import pLimit, { type LimitFunction } from 'p-limit'
import { Refusal } from './errors.ts'

const hash = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

export interface HasherOptions {
  /**
   * Hashes that run in parallel. The default leaves two of the four threads of Node's pool for
   * files.
   * @default 2
   */
  atOnce?: number
  /**
   * Passwords that may wait to be hashed.
   * @default 64
   */
  maxWaiting?: number
  /**
   * The parameter N of scrypt. The default follows OWASP's Password Storage Cheat Sheet and takes
   * 128 MiB per hash.
   * @default 2 ** 17
   */
  cost?: number
}

/**
 * Hashes a limited number of passwords in parallel. Others wait, and too many waiting passwords are
 * refused.
 */
export class PasswordHasher {
  readonly #limit: LimitFunction
  readonly #maxWaiting: number
  readonly #cost: ScryptOptions

  constructor({ atOnce = 2, maxWaiting = 64, cost = 2 ** 17 }: HasherOptions = {}) {
    this.#limit = pLimit(atOnce)
    this.#maxWaiting = maxWaiting
    this.#cost = { N: cost, r: 8, p: 1, maxmem: cost * 2048 }
  }

  /** @throws Refusal (503) if too many passwords are waiting */
  async hash(password: string, salt: Buffer): Promise<Buffer> {
    if (this.#limit.pendingCount >= this.#maxWaiting)
      throw new Refusal({
        status: 503,
        title: 'Back in a moment',
        advice: 'Too many people are signing in just now.',
        retryAfter: 10,
      })
    return this.#limit(() => hash(password, salt, 32, this.#cost))
  }
}
