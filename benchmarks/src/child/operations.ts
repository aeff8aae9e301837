import type { OperationName } from '../results/results.ts'
import type { Step } from './closed-loop.ts'
import type { Operation } from './operation.ts'
import { moveSlots } from './parent.ts'
import { hot, mix } from './requests.ts'
import { checkSession, contentsOf, createSession, each, idOf, userOf } from './sessions.ts'
import { WrongAnswer } from './tally.ts'
import type { Workload } from './workload.ts'

type StoreOperation = Exclude<OperationName, 'http' | 'http-one-session'>

/** The number of ids that were never stored. */
const MISSING = 4096
/** The number of sessions that are read again after a measurement with writes. */
const VERIFIED = 64
/** The maximum number of lines that a growing session gains. */
const GROWTH = 64

/** The operations. Each one uses a store as express-session does. */
export const operations: Record<StoreOperation, (workload: Workload) => Promise<Operation> | Operation> = {
  lookup: ({ store, ids }) => ({
    size: ids.length,
    step(position, done) {
      const id = ids[position]!
      store.get(id, (error, data) => {
        if (error || !data) return done(error ?? checkSession(id, data))
        done(checkSession(id, createSession(store, id, data)))
      })
    },
  }),
  'lookup-miss': ({ store }) => {
    const ids = Array.from({ length: MISSING }, (_, index) => idOf(`missing ${index}`))
    return { size: MISSING, step: absent(store, ids) }
  },
  'lookup-expired': async ({ store, expired }) => {
    const ids = await expired
    return { size: ids.length, step: absent(store, ids) }
  },
  touch: ({ store, ids, pool }) => ({
    size: pool.length,
    step(position, done) {
      const session = pool[position]!
      session.touch()
      store.touch!(ids[position]!, session, done)
    },
  }),
  save: (workload) => ({
    size: workload.pool.length,
    step(position, done) {
      const session = workload.pool[position]!
      session.visits++
      workload.store.set(workload.ids[position]!, session, done)
    },
    verify: () => verify(workload),
  }),
  'save-growing': (workload) => ({
    size: workload.pool.length,
    step(position, done) {
      const session = workload.pool[position]!
      session.visits++
      session.note = session.visits % GROWTH === 0 ? '' : `${session.note}another line\n`
      workload.store.set(workload.ids[position]!, session, done)
    },
    verify: () => verify(workload),
    restore: () => shrink(workload),
  }),
  'lookup-touch': ({ store, ids }) => ({
    size: ids.length,
    step(position, done) {
      const id = ids[position]!
      store.get(id, (error, data) => {
        if (error || !data) return done(error ?? checkSession(id, data))
        const session = createSession(store, id, data)
        const wrong = checkSession(id, session)
        if (wrong) return done(wrong)
        session.touch()
        store.touch!(id, session, done)
      })
    },
  }),
  'lookup-touch-moving': async (workload) => ({
    ...(await operations['lookup-touch'](workload)),
    begin: () => moveSlots(true),
    end: () => moveSlots(false),
  }),
  mix,
  hot,
  verify: async ({ ids, makeVerify }) => {
    const verify = await makeVerify!(ids)
    return {
      size: ids.length,
      step(position, done) {
        verify(position).then(
          (user) =>
            done(user === userOf(ids[position]!) ? undefined : new WrongAnswer('another user came back')),
          done,
        )
      },
    }
  },
  'lookup-pruning': (workload) => operations.lookup(workload),
}

/** Looks up sessions that must not exist. */
const absent =
  (store: Workload['store'], ids: readonly string[]): Step =>
  (position, done) =>
    store.get(ids[position]!, (error, data) => {
      // express-session treats this error as a missing session.
      if (error && error.code !== 'ENOENT') return done(error)
      done(data ? new WrongAnswer('a session came back that is not there') : undefined)
    })

/** Resets grown sessions because other operations expect sessions of one size. */
async function shrink({ store, ids, pool, payload }: Workload): Promise<void> {
  // The note has the same length in all sessions.
  const { note } = contentsOf(ids[0]!, payload)
  const grown = [...pool.keys()].filter((index) => pool[index]!.note !== note)
  await each(grown, (index, done) => {
    const session = pool[index]!
    session.note = note
    store.set(ids[index]!, session, done)
  })
}

async function verify({ store, ids, pool }: Workload): Promise<number> {
  const count = Math.min(VERIFIED, pool.length)
  const some = Array.from({ length: count }, (_, index) => Math.floor((index * pool.length) / count))
  let wrong = 0
  await each(some, (index, done) =>
    store.get(ids[index]!, (error, data) => {
      if (data?.marker !== ids[index] || data?.visits !== pool[index]!.visits) wrong++
      done(error)
    }),
  )
  return wrong
}
