import type { Store } from 'express-session'
import { type Act, createVisitor, type Visit, type Visitor } from './visitor.ts'

/**
 * Runs `check` with a visitor of a Fastify application. `@fastify/session` never calls `touch`, and
 * saves the session with every answer.
 * @param maxAge How long a session lives, in milliseconds.
 */
export async function withFastify(
  store: Store,
  maxAge: number,
  check: (visitor: Visitor) => Promise<void>,
): Promise<void> {
  const { default: fastify } = await import('fastify')
  const { default: cookie } = await import('@fastify/cookie')
  const { default: session } = await import('@fastify/session')
  const app = fastify()
  let act: Act
  app.register(cookie)
  app.register(session, {
    store: store as never,
    secret: 'a secret of at least thirty-two characters',
    saveUninitialized: false,
    cookie: { secure: false, maxAge },
  })
  app.get('/', async (request) => {
    await act({
      id: request.session.sessionId,
      // A getter, because `regenerate` replaces the session object.
      get session() {
        return request.session as unknown as Visit['session']
      },
      end: () => request.session.destroy(),
      renew: () => request.session.regenerate(),
    })
    return 'the whole answer'
  })
  try {
    await check(
      createVisitor(async (next, header) => {
        act = next
        const { headers } = await app.inject({ url: '/', headers: header ? { cookie: header } : {} })
        return [headers['set-cookie'] ?? []].flat()
      }),
    )
  } finally {
    await app.close()
  }
}
