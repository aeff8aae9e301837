/**
 * Sites that use the packages as they are installed beside this file, each on the framework that its
 * argument names. The command copies the file into folders with different versions, so it must
 * import nothing else of this repository but the visit beside it.
 */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SqliteStore } from '@session-stores/sqlite'
import { visit } from './visit.ts'

const [framework] = process.argv.slice(2) as ['express' | 'koa' | 'fastify']
const secret = 'a secret of at least thirty-two characters, for these tests alone'
const store = new SqliteStore({ path: 'sessions.db', user: (one) => (one as { userId?: string }).userId })
const options = { store, secret, development: true }
const keyOf = (path: string) => path.split('/')[2]!
const dataOf = ({ cookie: _, ...data }: Record<string, unknown>) => JSON.stringify(data)

/** Makes a site, and returns the port on which it listens. */
const starters: Record<typeof framework, () => Promise<number>> = {
  async express() {
    const { sessions, signIn, signOut } = await import('@session-stores/express')
    const { default: express } = await import('express')
    const app = express()
    app.use(sessions(options))
    app.post('/login', (req, res, next) => {
      signIn(req, { userId: 'ada' } as object).then(() => res.end(), next)
    })
    app.post('/keys/:key', (req, res) => {
      Object.assign(req.session, { [req.params.key]: 'saved' })
      res.end()
    })
    app.post('/logout', (req, res, next) => {
      signOut(req, res).then(() => res.end(), next)
    })
    app.get('/', (req, res) => void res.end(dataOf({ ...req.session })))
    return listen(app)
  },
  async koa() {
    const { sessions, signIn, signOut } = await import('@session-stores/koa')
    const { default: Koa } = await import('koa')
    const app = new Koa()
    app.use(sessions(options))
    app.use(async (ctx) => {
      ctx.body = ''
      if (ctx.path === '/login') await signIn(ctx, { userId: 'ada' } as object)
      else if (ctx.path === '/logout') await signOut(ctx)
      else if (ctx.path === '/') ctx.body = dataOf({ ...ctx.session })
      else Object.assign(ctx.session, { [keyOf(ctx.path)]: 'saved' })
    })
    return listen(app.callback())
  },
  async fastify() {
    const { sessions, signIn, signOut } = await import('@session-stores/fastify')
    const { default: fastify } = await import('fastify')
    const app = fastify()
    await app.register(sessions, options)
    app.post('/login', async (request) => {
      await signIn(request, { userId: 'ada' } as object)
      return ''
    })
    app.post('/logout', async (request, reply) => {
      await signOut(request, reply)
      return ''
    })
    app.post('/keys/:key', async (request) => {
      Object.assign(request.session, { [keyOf(request.url)]: 'saved' })
      return ''
    })
    app.get('/', async (request) => dataOf({ ...request.session }))
    await app.listen({ port: 0, host: '127.0.0.1' })
    return (app.server.address() as AddressInfo).port
  },
}

async function listen(handler: RequestListener): Promise<number> {
  const server: Server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

// A sign-in stores its time.
await visit(`http://127.0.0.1:${await starters[framework]()}`, store, ['signedInAt'])
await store.close()
// Keep-alive connections would keep the server open.
process.exit()
