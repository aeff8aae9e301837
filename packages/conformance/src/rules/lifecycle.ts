import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import session, { type Session } from 'express-session'
import type { Tested } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import { holds, ID, ids, README } from './shared.ts'

/** What a store is from its making to its end. */

const close = async (store: Tested): Promise<void> => {
  await (store.raw as unknown as { close(): unknown }).close()
}

/** Tries until it succeeds; after ten seconds of failures the last one is thrown. */
async function until(work: () => Promise<void>): Promise<void> {
  const end = performance.now() + 10_000
  for (;;) {
    // A call that is never answered must not hold up the next one.
    const late = wait(1000, undefined, { ref: false }).then(() => assert.fail('it is not answered'))
    try {
      return await Promise.race([work(), late])
    } catch (error) {
      if (performance.now() > end) throw error
      await wait(100)
    }
  }
}

/** The store saves, and reads what it saved. */
const works = async ({ store, session }: Pick<Parameters<Rule['check']>[0], 'store' | 'session'>) => {
  await store.set('after', session({ name: 'Bob' }))
  holds(await store.data('after'), { name: 'Bob' })
}

export const lifecycle: readonly Rule[] = [
  {
    id: 'store/is-an-event-emitter',
    title: 'a `disconnect` or `connect` that the store emits reaches who listens to the store',
    level: 'must',
    why: 'express-session never learns that the database went, or that it came back.',
    source: README,
    async check({ store }) {
      // A store that is closed while it begins is no matter here.
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
    title: '`createSession` makes of what was read a session with its methods and a cookie with dates',
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
  {
    id: 'start/first-calls-at-once',
    title: 'the first 30 calls of a new store, all at once, are answered without an error',
    level: 'must',
    why: 'After every restart the first visitors get errors.',
    async check({ store, session: plain }) {
      const calls = ids(30).map((id, i) => (i % 2 ? store.get(id) : store.set(id, plain({ i }))))
      await Promise.all(calls)
      for (const [i, id] of ids(30).entries()) assert.equal((await store.data(id))?.i, i % 2 ? undefined : i)
    },
  },
  {
    id: 'start/two-processes-at-once',
    title: 'two processes that begin on an empty database at once both work',
    level: 'must',
    why: 'Of two servers that start together one fails, some for ever: each found no table and made it.',
    source: 'Shopify/shopify-app-js#74',
    needs: ['second'],
    async check({ store, second, session: plain }) {
      await Promise.all([store.set('a', plain({ i: 1 })), second.set('b', plain({ i: 2 }))])
      holds(await store.data('b'), { i: 2 })
      holds(await second.data('a'), { i: 1 })
    },
  },
  {
    id: 'outage/ends-for-the-store-too',
    title: 'a store whose database went away works again when it is back, without a restart',
    level: 'should',
    why: 'A database that restarts takes the application down until somebody restarts that too.',
    source: 'robinfehr/sessionstore#49',
    needs: ['stop'],
    async check(context) {
      const { store, session: plain, backend } = context
      await store.set(ID, plain({ name: 'Ada' }))
      const start = await backend.stop()
      await Promise.race([store.get(ID).catch(() => {}), wait(1000)])
      await start()
      await until(() => works(context))
    },
  },
  {
    id: 'outage/at-the-start-is-not-for-ever',
    title: 'a store whose first call met no database works when there is one',
    level: 'should',
    why: 'After a power cut the application comes up before its database, and stays broken.',
    source: 'robinfehr/sessionstore#49',
    needs: ['stop'],
    async check(context) {
      const { store, session: plain, backend } = context
      const start = await backend.stop()
      await Promise.race([store.set(ID, plain()).catch(() => {}), wait(1000)])
      await start()
      await until(() => works(context))
    },
  },
  {
    id: 'outage/connect-follows-disconnect',
    title: 'a store that tells of the end of its connection tells of the next one too',
    level: 'should',
    why: 'express-session goes on without `req.session` for ever: after an outage nobody is logged in.',
    source: 'expressjs/session#4',
    needs: ['stop'],
    async check(context) {
      const { store, session: plain, backend } = context
      let last: string | undefined
      for (const event of ['disconnect', 'connect'])
        store.raw.on(event, () => {
          last = event
        })
      await store.set(ID, plain({ name: 'Ada' }))
      const start = await backend.stop()
      await Promise.race([store.get(ID).catch(() => {}), wait(1000)])
      await start()
      await until(async () => {
        await works(context)
        assert.notEqual(last, 'disconnect')
      })
    },
  },
  {
    id: 'close/twice-is-no-error',
    title: 'to close a store again is no error',
    level: 'should',
    why: 'A shutdown fails because something else began it too, and what comes after is not done.',
    methods: ['close'],
    async check({ store, session: plain }) {
      await store.set(ID, plain())
      await Promise.all([close(store), close(store)])
      await close(store)
    },
  },
  {
    id: 'close/calls-after-it-are-answered',
    title: 'calls of a closed store are answered, by an error or not, and do not throw',
    level: 'should',
    why: 'Requests that are still on their way when a shutdown begins hang, or end the process.',
    methods: ['close'],
    async check({ store, session: plain }) {
      await store.set(ID, plain())
      await close(store)
      const answered = [
        new Promise((resolve) => store.raw.get(ID, resolve)),
        new Promise((resolve) => store.raw.set(ID, plain(), resolve)),
        new Promise((resolve) => store.raw.destroy(ID, resolve)),
      ]
      await Promise.all(answered)
    },
  },
  {
    id: 'close/keeps-what-was-saved-before',
    title: 'a save that was called before the store was closed is kept, or told as an error',
    level: 'should',
    why: 'With every restart some users lose what they just did.',
    methods: ['close'],
    needs: ['second'],
    async check({ store, second, session: plain }) {
      const kept = store.set(ID, plain({ name: 'Ada' })).then(
        () => true,
        () => false,
      )
      await close(store)
      if (await kept) holds(await second.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'close/leaves-the-other-stores-open',
    title: 'a store goes on when another on the same database is closed, and so do the sessions',
    level: 'should',
    why: 'When one part of an application ends, or one server is replaced, nobody is logged in any more.',
    methods: ['close'],
    needs: ['second'],
    async check({ store, second, session: plain }) {
      await Promise.all([store.set(ID, plain({ name: 'Ada' })), second.get(ID)])
      await close(store)
      holds(await second.data(ID), { name: 'Ada' })
      await second.set(ID, plain({ name: 'Bob' }))
      holds(await second.data(ID), { name: 'Bob' })
    },
  },
]
