import type { Server } from 'node:http'
import { join } from 'node:path'
import type { SessionStore } from '@session-stores/core'
import { createApp } from './app.ts'
import { readSettings, type Settings } from './settings.ts'
import { describeStore, nameDatabase, openStore } from './store.ts'
import { makeTokens } from './tokens.ts'
import { Users } from './users.ts'

/** Fails with a message alone, because a stack says nothing to the person who starts the application. */
function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

/** Runs one part of the start. Only the message is printed, as an error may hold a password. */
function attempt<T>(part: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    fail(`${part}: ${(error as Error).message}`)
  }
}

const settings = attempt('The application cannot start', () => readSettings(process.env))
const { url, port } = settings
const store = attempt(`${describeStore(url)} cannot be used`, () =>
  openStore(url, { user: (session) => session.passport?.user, absoluteTimeout: 30 * 86_400_000 }),
)
await store.ping().catch((error) => fail(`${describeStore(url)} does not answer: ${error.message}`))
const { server, close } = attempt('The application cannot start', () => serve(store, settings))

server.on('listening', () => {
  const address = server.address() as { port: number }
  console.log(`http://localhost:${address.port} keeps its sessions in ${describeStore(url)}. Ctrl-C ends it.`)
})
server.on('error', async (error: NodeJS.ErrnoException) => {
  const reason =
    error.code === 'EADDRINUSE' ? 'is taken; choose another with PORT=3001' : `fails: ${error.message}`
  console.error(`Port ${port} ${reason}`)
  process.exitCode = 1
  await close()
})

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    // Open requests are answered first, and idle connections are closed.
    server.close(close)
    server.closeIdleConnections()
  })

function serve(
  store: SessionStore,
  { data, secret, trustProxy }: Settings,
): { server: Server; close: () => Promise<void> } {
  const users = new Users(join(data, 'users.db'))
  const tokens = makeTokens(store, secret)
  const database = nameDatabase(url)
  const app = createApp({ store, users, tokens, database, secret, trustProxy })
  const close = async () => {
    tokens.close()
    await store.close()
    users.close()
  }
  return { server: app.listen(port), close }
}
