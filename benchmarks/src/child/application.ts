import express, { type Express, type RequestHandler } from 'express'
import session from 'express-session'
import { contentsOf, MAX_AGE } from './sessions.ts'

/** Returns express-session's middleware as most applications set it up. */
export const expressSession = (store: session.Store): RequestHandler =>
  session({
    store,
    secret: 'benchmark',
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: MAX_AGE },
  })

/** Makes an application that stores a session of `payload` bytes, and answers with its marker. */
export function makeApplication(middleware: RequestHandler, payload: number): Express {
  const app = express()
  app.use(middleware)
  app.post('/sign-in', (request, response) => {
    Object.assign(request.session, contentsOf(request.sessionID, payload))
    response.send(request.session.marker)
  })
  app.get('/', (request, response) => {
    const { marker } = request.session
    // express-session sends the last byte separately. The line break keeps the marker in one piece.
    response.status(marker ? 200 : 401).send(`${marker}\n`)
  })
  return app
}
