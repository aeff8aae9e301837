import assert from 'node:assert/strict'
import session, { type Session } from 'express-session'
import type { Rule } from '../engine/rule.ts'
import { ID, README } from './shared.ts'

/** Rules about what express-session expects of `session.Store`. */
export const store: readonly Rule[] = [
  {
    id: 'store/is-an-event-emitter',
    title: 'a `disconnect` or `connect` that the store emits reaches the listeners of the store',
    level: 'must',
    why: 'express-session never learns that the database went, or that it came back.',
    source: README,
    async check({ store }) {
      // The store has started once this call is answered.
      await store.get(ID)
      const heard: string[] = []
      for (const event of ['disconnect', 'connect']) {
        store.raw.on(event, () => heard.push(event))
        store.raw.emit(event)
      }
      assert.deepEqual(heard, ['disconnect', 'connect'])
    },
  },
  {
    id: 'store/makes-sessions-for-express',
    title: '`createSession` turns stored data into a session with its methods and a cookie with dates',
    level: 'must',
    why: 'Every request that has a session fails.',
    source: 'https://github.com/expressjs/session/blob/v1.19.0/session/store.js',
    async check({ store, session: plain }) {
      await store.set(ID, plain({ name: 'Ada' }))
      const open = await store.open(ID)
      assert.equal(open.name, 'Ada')
      assert.equal(open.id, ID)
      for (const method of ['save', 'destroy', 'regenerate', 'reload', 'touch'] as const)
        assert.equal(typeof open[method], 'function', method)
      assert.ok(open.cookie.expires instanceof Date)
      assert.equal(typeof open.cookie.maxAge, 'number')
    },
  },
  {
    id: 'store/has-the-methods-of-express',
    title: 'the store has the methods of `session.Store`: `createSession`, `load`, `regenerate`',
    level: 'must',
    why: 'A login that renews its session fails.',
    source: 'https://github.com/expressjs/session/blob/v1.19.0/session/store.js',
    async check({ store }) {
      await store.get(ID)
      for (const method of Object.keys(session.Store.prototype))
        assert.equal(typeof (store.raw as unknown as Record<string, unknown>)[method], 'function', method)
    },
  },
  {
    id: 'store/loads-sessions',
    title: '`store.load` gives a session with its methods, and nothing where there is none',
    level: 'should',
    why: 'Web sockets, which load the session by its id, fail for everybody.',
    source: 'https://github.com/expressjs/session/blob/v1.19.0/session/store.js',
    async check({ store, session: plain }) {
      const load = (id: string): Promise<Session | undefined> =>
        new Promise((resolve, reject) => {
          store.raw.load(id, (error, found) => {
            if (error && error.code !== 'ENOENT') reject(error)
            else resolve(found as Session | undefined)
          })
        })
      await store.set(ID, plain({ name: 'Ada' }))
      const [found, nobody] = [await load(ID), await load('nobody')]
      assert.equal(typeof found?.save, 'function')
      assert.ok(!nobody)
    },
  },
]
