/**
 * An application's process: it makes calls as it is told, and says what the store answered. Arguments: the database, its
 * place, and `operationTimeout` in milliseconds.
 */
import type { SessionStore } from '@session-stores/core'
import session, { type Session, type SessionData } from 'express-session'
import { type Database, openStore } from '../store.ts'
import type { Answer, Command, Question } from './protocol.ts'

type Data = Session & SessionData & Record<string, unknown>

const [database, place, operationTimeout] = process.argv.slice(2) as [Database, string, string]
const store: SessionStore = await openStore(database, place, {
  operationTimeout: Number(operationTimeout),
  pruneInterval: false,
  onGone: 'error',
  user: (found) => (found as Data).user as string,
})

/** Session objects of requests that go on, by the names that the commands give them. */
const requests = new Map<string, Data>()

function request(id: string): object {
  return { sessionID: id, sessionStore: store }
}

/** As express-session generates a session for a request. */
function generated(id: string, data: object): Data {
  const Generated = session.Session as unknown as new (req: object) => Data
  const Cookie = session.Cookie as unknown as new (options: object) => Data['cookie']
  const made = new Generated(request(id))
  made.cookie = new Cookie({ maxAge: 3_600_000 })
  return Object.assign(made, data)
}

/** The session as a request reads it; `undefined` where there is none. */
async function load(id: string): Promise<Data | undefined> {
  const found = await store.get(id)
  return found ? (store.createSession(request(id) as never, found) as unknown as Data) : undefined
}

/** The object of a request; one whose session could not be loaded has none. */
function requestOf(name: string): Data {
  const found = requests.get(name)
  if (!found) throw Object.assign(new Error('there is no such request'), { code: 'NO_REQUEST' })
  return found
}

async function run(command: Command): Promise<Answer['found']> {
  switch (command.call) {
    case 'signIn': {
      const made = generated(command.id, command.data)
      requests.set(command.as, made)
      return void (await store.set(command.id, made))
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
      const found = (await store.get(command.id)) as Data | null
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
