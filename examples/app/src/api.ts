import { authenticate } from '@session-stores/express'
import type { Tokens } from '@session-stores/token'
import express, { type ErrorRequestHandler, Router } from 'express'
import { readCredentials } from './credentials.ts'
import { explain } from './errors.ts'
import type { Limits } from './limits.ts'
import type { Users } from './users.ts'

export interface ApiOptions {
  tokens: Tokens
  users: Users
  limits: Limits
}

const MAX_NOTE = 500

/** Returns the JSON API. Pages and programs call it with an access token. */
export function makeApiRoutes({ tokens, users, limits }: ApiOptions): Router {
  const routes = Router()
  routes.use(express.json({ limit: '16kb' }))

  // For programs without cookies. Pages get their access tokens from POST /token.
  routes.post('/sign-in', limits.address, limits.name, async (req, res) => {
    const user = await users.signIn(readCredentials(req.body)).catch(async (error) => {
      await limits.undo(req)
      throw error
    })
    if (!user) return void res.status(401).json({ error: 'The name or the password is wrong.' })
    await limits.succeed(req)
    const device = typeof req.body.device === 'string' ? req.body.device.slice(0, 60) : 'A program'
    const data = { passport: { user: user.id }, seenAt: Date.now(), device }
    const { accessToken, refreshToken, expiresIn } = await tokens.grant(data, { client: 'cli' })
    res.json({
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: expiresIn,
      refresh_token: refreshToken,
    })
  })

  routes.use(authenticate(tokens))
  routes.get('/notes', (req, res) => {
    res.json({ notes: users.notesOf(req.auth!.user) })
  })
  routes.post('/notes', (req, res) => {
    const { text } = (req.body ?? {}) as { text?: unknown }
    if (typeof text !== 'string' || text.trim() === '' || text.length > MAX_NOTE)
      return void res.status(422).json({ error: `A note has 1 to ${MAX_NOTE} characters.` })
    users.addNote(req.auth!.user, text.trim())
    res.status(201).json({ notes: users.notesOf(req.auth!.user) })
  })
  routes.use((_req, res) => void res.status(404).json({ error: 'There is no such route.' }))
  routes.use(answerError)
  return routes
}

const answerError: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) return next(error)
  const { status, title, advice, retryAfter } = explain(error)
  if (status >= 500 && status !== 503) console.error(error)
  if (retryAfter !== undefined) res.set('Retry-After', `${retryAfter}`)
  const again = retryAfter === undefined ? '' : ` Try again in ${retryAfter} s.`
  res.status(status).json({ error: `${title}. ${advice}${again}` })
}
