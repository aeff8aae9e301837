import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { join, relative } from 'node:path'
import express from 'express'
import { makePrivateFolder, readSecret } from './files.ts'

/** What the environment says. */
export interface Settings {
  /** The folder of the users, the sessions' file and the secret. */
  data: string
  /** The URL of the store. */
  url: string
  port: number
  secret: string
  trustProxy: string | number | false
}

/**
 * Reads the settings of the application, and creates its folder.
 * @throws TypeError that names the variable, or an error of the file system
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const port = Number(env.PORT || 3000)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new TypeError('PORT takes a number from 0 to 65535, such as PORT=3001')
  const trustProxy = (env.TRUST_PROXY && (Number(env.TRUST_PROXY) || env.TRUST_PROXY)) || false
  try {
    express().set('trust proxy', trustProxy)
  } catch {
    throw new TypeError(
      'TRUST_PROXY takes the addresses of proxies or how many there are, such as TRUST_PROXY=1',
    )
  }
  if (env.SESSION_SECRET && env.SESSION_SECRET.length < 32)
    throw new TypeError(
      'SESSION_SECRET takes at least 32 random characters; without it, the application makes one',
    )
  const data = env.DATA_DIR || join(import.meta.dirname, '..', 'data')
  makePrivateFolder(data)
  // The default folder belongs to the application, so its mode may be changed.
  if (!env.DATA_DIR) chmodSync(data, 0o700)
  return {
    data,
    url: env.SESSION_STORE || `sqlite:${relative('', join(data, 'sessions.db'))}`,
    port,
    // The secret is created at the first start and kept, so that a restart signs nobody out.
    secret:
      env.SESSION_SECRET || readSecret(join(data, 'secret'), () => randomBytes(32).toString('base64url')),
    trustProxy,
  }
}
