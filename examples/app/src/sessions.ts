import type { SessionStore } from '@session-stores/core'
import { Router } from 'express'
import type { Cookies } from './cookies.ts'
import type { Show } from './pages.ts'

export interface SessionPageOptions {
  store: SessionStore
  cookies: Cookies
  show: Show
}

/** Returns the routes for people who are signed in: they list their sessions and end them. */
export function makeSessionRoutes({ store, cookies, show }: SessionPageOptions): Router {
  const routes = Router()
  routes.use((req, res, next) => (req.session.user ? next() : res.redirect(303, '/sign-in')))

  routes.get('/sessions', async (req, res) => {
    const { sessions } = await store.list({ user: req.session.user!.id })
    const current = store.handle(req.sessionID)
    const listed = sessions
      .map(({ handle, createdAt, session }) => ({
        handle,
        isCurrent: handle === current,
        browser: session.browser ?? 'Unknown browser',
        createdAt: new Date(createdAt),
        seenAt: new Date(session.seenAt ?? createdAt),
      }))
      .sort((a, b) => Number(b.isCurrent) - Number(a.isCurrent) || b.seenAt.getTime() - a.seenAt.getTime())
    show(req, res, 'sessions', { sessions: listed })
  })

  routes.post('/sessions/revoke', async (req, res) => {
    // The handle comes from the browser, so `user` makes sure that the session belongs to this
    // user.
    await store.revoke(`${req.body.handle}`, { user: req.session.user!.id })
    res.redirect(303, '/sessions')
  })

  routes.post('/sessions/revoke-others', async (req, res) => {
    await store.revokeUser(req.session.user!.id, { except: req.sessionID })
    res.redirect(303, '/sessions')
  })

  routes.post('/sign-out', async (req, res) => {
    await new Promise<void>((resolve, reject) =>
      req.session.destroy((error) => (error ? reject(error) : resolve())),
    )
    for (const name of [cookies.session, cookies.csrf]) res.clearCookie(name, cookies.attributes)
    // OWASP also recommends "cookies", but that would clear the cookies of every host of the
    // domain.
    res.set('Clear-Site-Data', '"cache", "storage"').redirect(303, '/')
  })
  return routes
}
