import type { SessionStore } from '@session-stores/core'
import { signOut } from '@session-stores/express'
import Bowser from 'bowser'
import { type Request, type RequestHandler, Router } from 'express'
import { confirm } from './notices.ts'
import { show } from './pages.ts'

export interface SessionPageOptions {
  store: SessionStore
}

/** Notes when and with what a signed-in user was here, for the list of sessions. */
export const noteVisit: RequestHandler = (req, _res, next) => {
  if (req.user) {
    req.session.seenAt = Date.now()
    req.session.device ??= describeBrowser(req)
  }
  next()
}

/**
 * Returns the routes for people who are signed in: they list their sessions, of browsers and of
 * programs, and end them.
 */
export function makeSessionRoutes({ store }: SessionPageOptions): Router {
  const routes = Router()
  routes.use(['/notes', '/sessions', '/sign-out', '/sign-out-everywhere'], (req, res, next) =>
    req.user ? next() : res.redirect(303, '/sign-in'),
  )

  routes.get('/notes', (req, res) => show(req, res, 'notes'))

  routes.get('/sessions', async (req, res) => {
    const { sessions } = await store.list({ user: req.user!.id })
    const current = store.handle(req.sessionID)
    const listed = sessions
      .map(({ handle, createdAt, session }) => ({
        handle,
        isCurrent: handle === current,
        isProgram: session.tokenFamily !== undefined,
        device: session.device ?? 'Unknown browser',
        createdAt: new Date(createdAt),
        seenAt: new Date(session.tokenFamily?.at ?? session.seenAt ?? createdAt),
      }))
      .sort((a, b) => Number(b.isCurrent) - Number(a.isCurrent) || b.seenAt.getTime() - a.seenAt.getTime())
    show(req, res, 'sessions', { sessions: listed })
  })

  routes.post('/sessions/revoke', async (req, res) => {
    // The handle comes from the browser, so `user` makes sure that the session belongs to this
    // user.
    const isEnded = await store.revoke(`${req.body?.handle}`, { user: req.user!.id })
    confirm(req, res, 'one-ended', Number(isEnded))
    res.redirect(303, '/sessions')
  })

  routes.post('/sessions/revoke-others', async (req, res) => {
    confirm(req, res, 'others-ended', await store.revokeUser(req.user!.id, { except: req.sessionID }))
    res.redirect(303, '/sessions')
  })

  routes.post('/sign-out', async (req, res) => {
    await signOut(req, res)
    confirm(req, res, 'signed-out')
    res.redirect(303, '/')
  })

  routes.post('/sign-out-everywhere', async (req, res) => {
    await signOut(req, res, { everywhere: true })
    confirm(req, res, 'signed-out-everywhere')
    res.redirect(303, '/')
  })
  return routes
}

function describeBrowser(req: Request): string {
  const agent = req.get('user-agent')
  if (!agent) return 'Unknown browser'
  const { browser, os } = Bowser.parse(agent)
  return [browser.name ?? agent.slice(0, 40), os.name && `on ${os.name}`].filter(Boolean).join(' ')
}
