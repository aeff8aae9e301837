import { memoryDriver, SessionStore } from '@session-stores/core'
import { Failure } from '../failure.ts'
import { keepSecret } from '../secrets.ts'

/** Reads the keys of the seal from the environment, separated by commas, newest first. */
export function readSealKeys(): string[] | undefined {
  const text = process.env.SESSION_STORES_SEAL_KEYS
  if (!text) return undefined
  const keys = text.split(',').map((key) => key.trim())
  for (const key of keys) keepSecret(key)
  try {
    // The option is checked here, before anything is opened.
    new SessionStore(memoryDriver(), { pruneInterval: false, seal: { keys } })
  } catch {
    throw new Failure(
      'SESSION_STORES_SEAL_KEYS takes keys of 32 random bytes as hex or base64url, separated by commas.',
    )
  }
  return keys
}
