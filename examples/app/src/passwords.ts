import { type ScryptOptions, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import pLimit, { type LimitFunction } from 'p-limit'
import { Refusal } from './errors.ts'

const hash = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

export interface HasherOptions {
  /** Default 2 of the four threads of Node's pool: the others read files meanwhile. */
  atOnce?: number
  /** Passwords that may wait to be hashed. Default 64. */
  maxWaiting?: number
  /** N of scrypt. Default 2^17, as OWASP's Password Storage Cheat Sheet asks: 128 MiB a hash. */
  cost?: number
}

/** Hashes a few passwords at once. Others wait; where too many wait already, they are refused. */
export class PasswordHasher {
  readonly #limit: LimitFunction
  readonly #maxWaiting: number
  readonly #cost: ScryptOptions

  constructor({ atOnce = 2, maxWaiting = 64, cost = 2 ** 17 }: HasherOptions = {}) {
    this.#limit = pLimit(atOnce)
    this.#maxWaiting = maxWaiting
    this.#cost = { N: cost, r: 8, p: 1, maxmem: cost * 2048 }
  }

  /** Throws a `Refusal` (503) where too many wait. */
  async hash(password: string, salt: Buffer): Promise<Buffer> {
    if (this.#limit.pendingCount >= this.#maxWaiting)
      throw new Refusal({
        status: 503,
        title: 'Back in a moment',
        advice: 'Too many people are signing in just now. Try again in a few seconds.',
        retryAfter: 10,
      })
    return this.#limit(() => hash(password, salt, 32, this.#cost))
  }
}
