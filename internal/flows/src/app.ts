import type { SessionStore } from '@session-stores/core'
import express, { type Express, type RequestHandler } from 'express'
import session, { type SessionOptions } from 'express-session'
import { openSite, type Site } from './site.ts'
import './session-data.ts'

export interface AppSite extends Site {
  readonly app: Express
  /** The middleware of express-session, for connections that do not come through Express. */
  readonly sessions: RequestHandler
}

/** Opens an Express app that uses this store for its sessions and parses forms. */
export async function openApp(store: SessionStore, options: Partial<SessionOptions> = {}): Promise<AppSite> {
  const site = await openSite()
  const app = express()
  app.set('env', 'test')
  const sessions = session({ store, secret: 'a secret', resave: false, saveUninitialized: false, ...options })
  app.use(sessions, express.urlencoded({ extended: false }))
  site.serve(app)
  return { ...site, app, sessions }
}

/** Turns a method of the session that takes a callback into a promise. */
export function promised(start: (callback: (error?: unknown) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()))
  })
}
