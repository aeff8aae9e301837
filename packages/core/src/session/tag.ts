import { randomBytes } from 'node:crypto'

/**
 * Makes the tags of a store: a random prefix for the store, and a counter. A random tag for each
 * write would cost a microsecond.
 */
export class Tags {
  readonly #prefix = `${randomBytes(9).toString('base64url')}.`
  #count = 0

  next(): string {
    return this.#prefix + (this.#count++).toString(36)
  }
}
