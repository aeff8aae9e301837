import type { SessionData } from 'express-session'
import type { Tested } from '../engine/context.ts'
import { withServer } from './server.ts'
import { type Act, createVisitor, type Visit, type Visitor } from './visitor.ts'

/**
 * Runs `check` with a visitor of a Koa application. koa-session uses the store as an external
 * store, as its documentation says.
 * @param maxAge How long a session lives, in milliseconds.
 */
export async function withKoa(
  store: Tested,
  maxAge: number,
  check: (visitor: Visitor) => Promise<void>,
): Promise<void> {
  const { default: Koa } = await import('koa')
  const { createSession } = await import('koa-session')
  const app = new Koa()
  // Koa would print errors, but the rule reports them already.
  app.silent = true
  app.keys = ['a secret']
  let act: Act
  app.use(createSession({ maxAge, store: toExternalStore(store) }, app))
  app.use(async (context) => {
    const visit: Visit = {
      get id() {
        return sessionOf(context).externalKey
      },
      get session() {
        return sessionOf(context)
      },
      end() {
        Object.assign(context, { session: null })
      },
      renew: () => sessionOf(context).regenerate(),
    }
    await act(visit)
    context.body = 'the whole answer'
  })
  await withServer(app.callback(), (url) =>
    check(
      createVisitor(async (next, header) => {
        act = next
        const response = await fetch(url, { headers: header ? { cookie: header } : {} })
        await response.text()
        return response.headers.getSetCookie()
      }),
    ),
  )
}

/** The session of koa-session, which is data and methods in one object. */
interface KoaSession extends Record<string, unknown> {
  externalKey: string
  regenerate(): Promise<void>
}

const sessionOf = (context: object): KoaSession => (context as { session: KoaSession }).session

/** Adapts a store to koa-session, whose sessions have no cookie of their own. */
function toExternalStore(store: Tested) {
  return {
    async get(key: string) {
      const { cookie, ...data } = (await store.get(key)) ?? {}
      return cookie && (data as Record<string, unknown>)
    },
    async set(key: string, data: object, maxAge: number | 'session') {
      const life = typeof maxAge === 'number' ? maxAge : null
      const expires = life === null ? null : new Date(Date.now() + life)
      const cookie = { originalMaxAge: life, expires, httpOnly: true, path: '/' }
      await store.set(key, { ...data, cookie } as SessionData as never)
    },
    destroy: (key: string) => store.destroy(key),
  }
}
