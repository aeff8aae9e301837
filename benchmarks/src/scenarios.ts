import type { Step } from './loop.ts'
import type { StoreScenario } from './suites.ts'
import { createSession, type Workload } from './workload.ts'

const WRONG = new Error('the store answered with no session, or with the wrong one')

/** How each scenario uses a store: as express-session does, except for the bare calls of the core's own suite. */
export const scenarios: Record<StoreScenario, (workload: Workload) => Step> = {
  lookup:
    ({ store, ids }) =>
    (position, done) => {
      const id = ids[position]!
      store.get(id, (error, data) => {
        if (error || !data) return done(error ?? WRONG)
        done(createSession(store, id, data).marker === id ? null : WRONG)
      })
    },
  touch:
    ({ store, ids, pool }) =>
    (position, done) => {
      const session = pool[position]!
      session.touch()
      store.touch!(ids[position]!, session, done)
    },
  save:
    ({ store, ids, pool }) =>
    (position, done) => {
      const session = pool[position]!
      session.visits++
      store.set(ids[position]!, session, done)
    },
  'lookup+touch':
    ({ store, ids }) =>
    (position, done) => {
      const id = ids[position]!
      store.get(id, (error, data) => {
        if (error || !data) return done(error ?? WRONG)
        const session = createSession(store, id, data)
        if (session.marker !== id) return done(WRONG)
        session.touch()
        store.touch!(id, session, done)
      })
    },
  get:
    ({ store, ids }) =>
    (position, done) => {
      const id = ids[position]!
      store.get(id, (error, data) => done(error ?? (data?.marker === id ? null : WRONG)))
    },
  set: (workload) => scenarios.save(workload),
}
