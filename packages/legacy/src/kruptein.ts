import { SessionStoreError } from '@session-stores/core'

/** The option `crypto` of connect-mongo: what the package `kruptein` takes. */
export interface KrupteinOptions {
  /** The secret. */
  secret: string
  /** @default 'aes-256-gcm' */
  algorithm?: string
  /** @default 'sha512' */
  hashing?: string
  /** @default 'base64' */
  encodeas?: string
  /** @default 32 */
  key_size?: number
  /** @default 16 */
  iv_size?: number
  /** @default 16 */
  at_size?: number
}

interface Kruptein {
  get(secret: string, ciphertext: string, callback: (error: unknown, plaintext: unknown) => void): void
}

/** What connect-mongo fills in. */
const DEFAULTS = {
  algorithm: 'aes-256-gcm',
  hashing: 'sha512',
  encodeas: 'base64',
  key_size: 32,
  iv_size: 16,
  at_size: 16,
}

/** Decrypts with the package kruptein, which the application has with connect-mongo. */
export function openKruptein(options: KrupteinOptions): { decrypt(ciphertext: string): Promise<string> } {
  let loading: Promise<Kruptein> | undefined
  return {
    async decrypt(ciphertext) {
      loading ??= load(options)
      const kruptein = await loading
      return new Promise((resolve, reject) => {
        kruptein.get(options.secret, ciphertext, (error, plaintext) => {
          if (error) reject(error)
          else resolve(typeof plaintext === 'string' ? plaintext : JSON.stringify(plaintext))
        })
      })
    },
  }
}

async function load(options: KrupteinOptions): Promise<Kruptein> {
  // @ts-expect-error the package has no types
  const module = await import('kruptein').catch((error: unknown) => {
    throw new SessionStoreError(
      'BAD_STORAGE',
      "connect-mongo had the option 'crypto': install the package kruptein in the version that connect-mongo used",
      error,
    )
  })
  return module.default({ ...DEFAULTS, ...options }) as Kruptein
}
