import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { Context } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import { holds, ID } from './shared.ts'

/** What a store does while its database is away, and after that. */

const SECRET = 'the-secret-name'
/** How long a store may wait for a database that accepts calls and answers none, in milliseconds. */
const PATIENCE = 15_000

/** The error that the call ends with. */
const failure = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => assert.fail('it succeeds'),
    (error: unknown) => {
      assert.ok(error instanceof Error, `fails with what is no Error: ${typeof error}`)
      return error
    },
  )

/** What holds while the database is away, and one session was saved before. */
const away =
  (check: (context: Context) => Promise<void>): Rule['check'] =>
  async (context) => {
    const { store, session, backend } = context
    await store.set(ID, session({ name: 'Ada' }))
    const start = await backend.stop()
    try {
      await check(context)
    } finally {
      await start()
    }
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

export const outage: readonly Rule[] = [
  {
    id: 'outage/a-read-is-an-error',
    title: 'while the database is away, `get` is an error and no miss',
    level: 'should',
    why: 'An outage logs everybody out: express-session makes a new session where there is none.',
    needs: ['stop'],
    check: away(async ({ store }) => {
      await failure(store.get(ID))
    }),
  },
  {
    id: 'outage/a-save-is-an-error',
    title: 'while the database is away, `set` and `destroy` are errors',
    level: 'should',
    why: 'Who logs out is told that it worked, and is still logged in.',
    needs: ['stop'],
    check: away(async ({ store, session }) => {
      await failure(store.set(ID, session({ name: 'Bob' })))
      await failure(store.destroy(ID))
    }),
  },
  {
    id: 'outage/nobody-waits-for-a-destroy',
    title: 'while the database is away, `destroy` without a callback harms nobody',
    level: 'should',
    why: 'One logout during an outage is an unhandled rejection, which ends the process.',
    source: 'https://nodejs.org/api/process.html#event-unhandledrejection',
    needs: ['stop'],
    check: away(async ({ store }) => {
      store.raw.destroy(ID)
      // The one before it has ended when this one has.
      await store.get(ID).catch(() => {})
      await wait(100)
    }),
  },
  {
    id: 'outage/silence-ends',
    title: 'a database that accepts a call and never answers is an error in the end',
    level: 'should',
    why: 'Requests pile up behind a database that hangs, until the application is out of memory.',
    source: 'tj/connect-redis#373',
    needs: ['freeze'],
    async check({ store, session, backend }) {
      await store.set(ID, session({ name: 'Ada' }))
      const thaw = await backend.freeze()
      try {
        await failure(Promise.race([store.get(ID), wait(PATIENCE, undefined, { ref: false })]))
      } finally {
        await thaw()
      }
    },
  },
  {
    id: 'outage/gives-nothing-away',
    title: 'no error holds an id or what a session holds',
    level: 'should',
    why: 'Whoever may read the log can take over sessions.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html#data-to-exclude',
    needs: ['stop'],
    check: away(async ({ store, session }) => {
      // Side by side, and of different sessions: each may take as long as its database may be away.
      const errors = await Promise.all([
        failure(store.get(ID)),
        failure(store.set(`${ID}-2`, session({ name: SECRET }))),
        failure(store.destroy(`${ID}-3`)),
      ])
      for (const error of errors) {
        const { stack, ...told } = error
        const text = `${error.message} ${inspect(told, { depth: 4 })}`
        assert.ok(!text.includes(ID) && !text.includes(SECRET), text)
      }
    }),
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
]
