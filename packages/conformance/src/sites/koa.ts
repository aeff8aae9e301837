import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SessionData } from 'express-session'
import type { Tested } from '../engine/context.ts'
import { type Act, type Site, type Visit, visitor } from './site.ts'

/** Runs `check` on a Koa application with koa-session, whose sessions are kept in the store as its documentation says. */
export async function withKoa(
  store: Tested,
  maxAge: number,
  check: (site: Site) => Promise<void>,
): Promise<void> {
  const { default: Koa } = await import('koa')
  const { createSession } = await import('koa-session')
  const app = new Koa()
  // Its errors are the rule's.
  app.silent = true
  app.keys = ['a secret']
  let act: Act
  app.use(createSession({ maxAge, store: external(store) }, app))
  app.use(async (context) => {
    const visit: Visit = {
      get id() {
        return context.session!.externalKey!
      },
      get session() {
        return context.session as unknown as Visit['session']
      },
      end() {
        context.session = null
      },
      renew: () => context.session!.regenerate() as Promise<void>,
    }
    await act(visit)
    context.body = 'the whole answer'
  })
  const server = createServer(app.callback())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    await check(
      visitor(async (next, header) => {
        act = next
        const response = await fetch(`http://127.0.0.1:${port}/`, {
          headers: header ? { cookie: header } : {},
        })
        await response.text()
        return response.headers.getSetCookie()
      }),
    )
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

/** A store for express-session as koa-session wants one: its sessions have no cookie of their own. */
function external(store: Tested) {
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
