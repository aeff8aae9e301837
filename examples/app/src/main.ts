import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { SessionStore } from '@session-stores/core'
import { createApp } from './app.ts'
import { makePrivateFolder, readSecret } from './files.ts'
import { describeStore, openStore } from './store.ts'
import { makeTokens } from './tokens.ts'
import { Users } from './users.ts'

const { env } = process
const data = env.DATA_DIR ?? join(import.meta.dirname, '..', 'data')
makePrivateFolder(data)
// The default folder belongs to the application, so its mode may be changed.
if (env.DATA_DIR === undefined) chmodSync(data, 0o700)

const url = env.SESSION_STORE ?? `sqlite:${relative('', join(data, 'sessions.db'))}`
const store = open()
await store.ping().catch((error) => {
  console.error(`${describeStore(url)} does not answer: ${error.message}`)
  process.exit(1)
})
const users = new Users(join(data, 'users.db'))
const trustProxy = env.TRUST_PROXY && (Number(env.TRUST_PROXY) || env.TRUST_PROXY)
// The secret is created at the first start and kept, so that a restart signs nobody out.
const secret =
  env.SESSION_SECRET || readSecret(join(data, 'secret'), () => randomBytes(32).toString('base64url'))
const tokens = makeTokens(store, secret)
const app = createApp({ store, users, tokens, secret, trustProxy: trustProxy || false })
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
    // Open requests are answered first, and idle connections are closed.
    server.close(close)
    server.closeIdleConnections()
  })

async function close(): Promise<void> {
  tokens.close()
  await store.close()
  users.close()
}

function open(): SessionStore {
  try {
    return openStore(url, { user: (session) => session.passport?.user, absoluteTimeout: 30 * 86_400_000 })
  } catch (error) {
    // Only the message is printed because the full error would show a URL with its password.
    console.error(`${describeStore(url)} cannot be used: ${(error as Error).message}`)
    process.exit(1)
  }
}
