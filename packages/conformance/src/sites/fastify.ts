import type { Store } from 'express-session'
import { type Act, createVisitor, type Visitor } from './visitor.ts'

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
  // Its types would be those of `request.session` in every program that imports this suite.
  const plugin: string = '@fastify/session'
  const { default: session } = await import(plugin)
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
      id: sessionOf(request).sessionId,
      // A getter, because `regenerate` replaces the session object.
      get session() {
        return sessionOf(request)
      },
      end: () => sessionOf(request).destroy(),
      renew: () => sessionOf(request).regenerate(),
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

/** The session of @fastify/session, which is data and methods in one object. */
interface PluginSession extends Record<string, unknown> {
  sessionId: string
  destroy(): Promise<void>
  regenerate(): Promise<void>
}

const sessionOf = (request: object): PluginSession => (request as { session: PluginSession }).session
