/**
 * An application's process that makes calls on command and reports the answers of the store. Its
 * arguments are the database, its place, and `operationTimeout` in milliseconds.
 */
import type { SessionStore } from '@session-stores/core'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { generateSession, type RequestSession } from '../session.ts'
import { openStore } from '../store.ts'
import type { Answer, Command, Question } from './protocol.ts'

const [database, place, operationTimeout] = process.argv.slice(2) as [DatabaseId, string, string]
const store: SessionStore = await openStore(database, place, {
  operationTimeout: Number(operationTimeout),
  pruneInterval: false,
  onGone: 'error',
  user: (found) => (found as RequestSession).user as string,
})

/** The session objects of running requests, by the names from the commands. */
const requests = new Map<string, RequestSession>()

function makeRequest(id: string): object {
  return { sessionID: id, sessionStore: store }
}

/** Loads a session as a request does. Returns `undefined` if it does not exist. */
async function load(id: string): Promise<RequestSession | undefined> {
  const found = await store.get(id)
  return found
    ? (store.createSession(makeRequest(id) as never, found) as unknown as RequestSession)
    : undefined
}

/**
 * Returns the session object of a request.
 * @throws NO_REQUEST if the session of the request could not be loaded
 */
function requestOf(name: string): RequestSession {
  const found = requests.get(name)
  if (!found) throw Object.assign(new Error('no request has this name'), { code: 'NO_REQUEST' })
  return found
}

async function run(command: Command): Promise<Answer['found']> {
  switch (command.call) {
    case 'signIn': {
      const created = generateSession(store, command.id, command.data)
      requests.set(command.as, created)
      return void (await store.set(command.id, created))
    }
    case 'load': {
      const found = await load(command.id)
      if (found) requests.set(command.as, found)
      return found !== undefined
    }
    case 'save': {
      const found = requestOf(command.as)
      Object.assign(found, command.set)
      for (const key of command.remove ?? []) delete found[key]
      return void (await store.set(command.id, found))
    }
    case 'touch': {
      const found = requestOf(command.as)
      found.touch()
      return void (await store.touch(command.id, found))
    }
    case 'has': {
      const found = (await store.get(command.id)) as RequestSession | null
      return found !== null && command.key in found
    }
    case 'destroy':
      return void (await store.destroy(command.id))
    case 'revokeUser':
      return await store.revokeUser(command.user)
    case 'regenerate': {
      const found = requestOf(command.as)
      const req = { sessionID: command.id, session: found }
      Object.assign(store, { generate: () => {} })
      return new Promise((resolve, reject) => {
        store.regenerate(req as never, (error) => (error ? reject(error) : resolve(true)))
      })
    }
    case 'forget':
      for (const name of command.names) requests.delete(name)
  }
}

process.on('message', async ({ number, command }: Question) => {
  const start = performance.now()
  let answer: Answer
  try {
    answer = { number, found: await run(command), duration: performance.now() - start }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    answer = { number, error: code ?? message, duration: performance.now() - start }
  }
  process.send?.(answer)
})
process.on('disconnect', () => process.exit())
process.send?.({ number: -1, duration: 0 } satisfies Answer)
