import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { Context } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import { expectData, ID } from './shared.ts'

/** A session value that must not be in any error. */
const SECRET = 'the-secret-name'
/** How long a call may wait for a database that answers no calls, in milliseconds. */
const PATIENCE = 15_000

/** Returns the error that the call rejects with. */
const catchError = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => assert.fail('the call succeeds'),
    (error: unknown) => {
      assert.ok(error instanceof Error, `the call rejects with ${typeof error}, not with an Error`)
      return error
    },
  )

/** Makes a check that runs while the database is away, after one session was saved. */
const whileAway =
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

/**
 * Stops the database, waits for a call of the store for a second at most, and starts the database.
 */
async function interrupt({ backend }: Context, call: () => Promise<unknown>): Promise<void> {
  const start = await backend.stop()
  await Promise.race([call().catch(() => {}), wait(1000)])
  await start()
}

/** Repeats `work` until it succeeds. After ten seconds of failures, the last error is thrown. */
async function retry(work: () => Promise<void>): Promise<void> {
  const end = performance.now() + 10_000
  for (;;) {
    // A call that is never answered must not prevent the next attempt.
    const timeout = wait(1000, undefined, { ref: false }).then(() => assert.fail('the call is not answered'))
    try {
      return await Promise.race([work(), timeout])
    } catch (error) {
      if (performance.now() > end) throw error
      await wait(100)
    }
  }
}

/** Asserts that the store saves a session and reads it. */
async function checkWorks({ store, session }: Context): Promise<void> {
  await store.set('after', session({ name: 'Bob' }))
  expectData(await store.data('after'), { name: 'Bob' })
}

/** Rules about a store whose database is away, and about the time after that. */
export const outage: readonly Rule[] = [
  {
    id: 'outage/a-read-is-an-error',
    title: 'while the database is away, `get` is an error and no miss',
    level: 'should',
    why: 'An outage logs everybody out: express-session makes a new session where there is none.',
    needs: ['stop'],
    check: whileAway(async ({ store }) => {
      await catchError(store.get(ID))
    }),
  },
  {
    id: 'outage/a-save-is-an-error',
    title: 'while the database is away, `set` and `destroy` are errors',
    level: 'should',
    why: 'Who logs out is told that it worked, and is still logged in.',
    needs: ['stop'],
    check: whileAway(async ({ store, session }) => {
      await catchError(store.set(ID, session({ name: 'Bob' })))
      await catchError(store.destroy(ID))
    }),
  },
  {
    id: 'outage/nobody-waits-for-a-destroy',
    title: 'while the database is away, `destroy` without a callback harms nobody',
    level: 'should',
    why: 'One logout during an outage is an unhandled rejection, which ends the process.',
    source: 'https://nodejs.org/api/process.html#event-unhandledrejection',
    needs: ['stop'],
    check: whileAway(async ({ store }) => {
      store.raw.destroy(ID)
      // Once this call is answered, the `destroy` before it has ended too.
      await store.get(ID).catch(() => {})
      await wait(100)
    }),
  },
  {
    id: 'outage/silence-ends',
    title: 'a call that the database accepts and never answers ends with an error',
    level: 'should',
    why: 'Requests pile up behind a database that hangs, until the application is out of memory.',
    source: 'tj/connect-redis#373',
    needs: ['freeze'],
    async check({ store, session, backend }) {
      await store.set(ID, session({ name: 'Ada' }))
      const thaw = await backend.freeze()
      try {
        await catchError(Promise.race([store.get(ID), wait(PATIENCE, undefined, { ref: false })]))
      } finally {
        await thaw()
      }
    },
  },
  {
    id: 'outage/gives-nothing-away',
    title: 'no error contains a session id or session data',
    level: 'should',
    why: 'Whoever may read the log can take over sessions.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html#data-to-exclude',
    needs: ['stop'],
    check: whileAway(async ({ store, session }) => {
      // The calls run side by side and use different ids, because each of them may time out.
      const errors = await Promise.all([
        catchError(store.get(ID)),
        catchError(store.set(`${ID}-2`, session({ name: SECRET }))),
        catchError(store.destroy(`${ID}-3`)),
      ])
      for (const error of errors) {
        const { stack, ...rest } = error
        const text = `${error.message} ${inspect(rest, { depth: 4 })}`
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
      const { store, session: plain } = context
      await store.set(ID, plain({ name: 'Ada' }))
      await interrupt(context, () => store.get(ID))
      await retry(() => checkWorks(context))
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
      const { store, session: plain } = context
      await interrupt(context, () => store.set(ID, plain()))
      await retry(() => checkWorks(context))
    },
  },
  {
    id: 'outage/connect-follows-disconnect',
    title: 'a store that emits `disconnect` emits `connect` when the database is back',
    level: 'should',
    why: 'express-session goes on without `req.session` for ever: after an outage nobody is logged in.',
    source: 'expressjs/session#4',
    needs: ['stop'],
    async check(context) {
      const { store, session: plain } = context
      let last: string | undefined
      for (const event of ['disconnect', 'connect'])
        store.raw.on(event, () => {
          last = event
        })
      await store.set(ID, plain({ name: 'Ada' }))
      await interrupt(context, () => store.get(ID))
      await retry(async () => {
        await checkWorks(context)
        assert.notEqual(last, 'disconnect')
      })
    },
  },
]
