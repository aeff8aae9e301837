import type { Store } from 'express-session'
import { type Act, type Site, type Visit, visitor } from './site.ts'

/** Runs `check` on a Fastify application with `@fastify/session`, which never touches and sets with every answer. */
export async function withFastify(
  store: Store,
  maxAge: number,
  check: (site: Site) => Promise<void>,
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
      // Of another object after it was renewed.
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
      visitor(async (next, header) => {
        act = next
        const { headers } = await app.inject({ url: '/', headers: header ? { cookie: header } : {} })
        return [headers['set-cookie'] ?? []].flat()
      }),
    )
  } finally {
    await app.close()
  }
}
