import type session from 'express-session'
import type { Operation } from './operation.ts'
import { checkSession, createSession, each, fill, idOf, type Session, sessionOf } from './sessions.ts'
import { WrongAnswer } from './tally.ts'
import type { Workload } from './workload.ts'

type Done = (error?: unknown) => void

/**
 * Percentages of requests that change the session, sign in again, and sign out. The others only
 * read.
 */
const CHANGES = 8
const LOGINS = 1
const LOGOUTS = 1

interface Visitor {
  /** `undefined` after a sign-out, until the next request signs in. */
  id: string | undefined
  visits: number
}

/** A mix of requests of many visitors, each with a separate session. */
export function mix({ store, own, payload }: Workload): Operation {
  const visitors: Visitor[] = own.map((id) => ({ id, visits: 0 }))
  let logins = 0

  function login(visitor: Visitor, done: Done): void {
    const id = idOf(`login ${process.pid} ${logins++}`)
    visitor.id = id
    visitor.visits = 0
    store.set(id, sessionOf(store, id, payload), done)
  }

  function step(position: number, done: Done): void {
    const visitor = visitors[position]!
    const { id, visits } = visitor
    if (id === undefined) return login(visitor, done)
    const dice = Math.floor(Math.random() * 100)
    open(store, id, visits, done, (session) => {
      if (dice < CHANGES) {
        session.visits = ++visitor.visits
        return store.set(id, session, done)
      }
      if (dice < CHANGES + LOGINS) {
        // This is what `req.session.regenerate()` does.
        return store.destroy(id, (error) => (error ? done(error) : login(visitor, done)))
      }
      if (dice < CHANGES + LOGINS + LOGOUTS) {
        visitor.id = undefined
        return store.destroy(id, done)
      }
      session.touch()
      store.touch!(id, session, done)
    })
  }

  /** Gives all visitors their original sessions back, because other operations expect them. */
  async function restore(): Promise<void> {
    const strayed = [...visitors.keys()].filter((index) => visitors[index]!.id !== own[index])
    await each(strayed, (index, done) => {
      const { id } = visitors[index]!
      visitors[index] = { id: own[index], visits: 0 }
      if (id === undefined) done()
      else store.destroy(id, done)
    })
    await fill(
      store,
      strayed.map((index) => own[index]!),
      payload,
    )
  }

  return { step, size: visitors.length, restore }
}

/** One of this many requests changes the shared session. */
const HOT_CHANGE = 20

/** Concurrent requests of one visitor, as a page with many parts or a script sends them. */
export async function hot({ store, payload }: Workload): Promise<Operation> {
  const id = idOf(`hot ${process.pid}`)
  await fill(store, [id], payload)
  let requests = 0
  return {
    size: 1 << 20,
    step: (_, done) =>
      open(store, id, undefined, done, (session) => {
        if (++requests % HOT_CHANGE === 0) {
          session.visits++
          return store.set(id, session, done)
        }
        session.touch()
        store.touch!(id, session, done)
      }),
  }
}

/**
 * Reads and checks a session as a request does.
 * @param visits the expected number of visits, if known
 */
function open(
  store: session.Store,
  id: string,
  visits: number | undefined,
  failed: Done,
  use: (session: Session) => void,
): void {
  store.get(id, (error, data) => {
    if (error || !data) return failed(error ?? checkSession(id, data))
    const session = createSession(store, id, data)
    const wrong = checkSession(id, session)
    if (wrong) return failed(wrong)
    if (visits !== undefined && session.visits !== visits)
      return failed(new WrongAnswer('a session came back that is not the one saved last'))
    use(session)
  })
}
