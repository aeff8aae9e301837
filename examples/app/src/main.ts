import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { createApp } from './app.ts'
import { describeStore, openStore } from './store.ts'
import { Users } from './users.ts'

const { env } = process
const data = env.DATA_DIR ?? join(import.meta.dirname, '..', 'data')
mkdirSync(data, { recursive: true })

const url = env.SESSION_STORE ?? `sqlite:${relative('', join(data, 'sessions.db'))}`
const store = openStore(url, { user: (session) => session.user?.id, absoluteTimeout: 30 * 86_400_000 })
await store.ping().catch((error) => {
  console.error(`${describeStore(url)} does not answer: ${error.message}`)
  process.exit(1)
})
const users = new Users(join(data, 'users.db'))
const trustProxy = env.TRUST_PROXY && (Number(env.TRUST_PROXY) || env.TRUST_PROXY)
const app = createApp({ store, users, secret: secret(), trustProxy: trustProxy || false })
const server = app.listen(Number(env.PORT ?? 3000))

server.on('listening', () => {
  const address = server.address() as { port: number }
  console.log(`http://localhost:${address.port} keeps its sessions in ${describeStore(url)}. Ctrl-C ends it.`)
})
server.on('error', async (error: NodeJS.ErrnoException) => {
  const reason =
    error.code === 'EADDRINUSE' ? 'is taken; choose another with PORT=3001' : `fails: ${error.message}`
  console.error(`Port ${env.PORT ?? 3000} ${reason}`)
  process.exitCode = 1
  await close()
})

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    // Open requests are answered first; connections that only wait are closed.
    server.close(close)
    server.closeIdleConnections()
  })

async function close(): Promise<void> {
  await store.close()
  users.close()
}

/** From the environment, else one made at the first start and kept, so that a restart signs nobody out. */
function secret(): string {
  if (env.SESSION_SECRET) return env.SESSION_SECRET
  const file = join(data, 'secret')
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 })
  return readFileSync(file, 'utf8')
}
