import assert from 'node:assert/strict'
import type { SessionStore } from '@session-stores/core'
import {
  fails,
  fresh,
  HOUR,
  load,
  plain,
  type RequestSession,
  ruleOf,
  type StoreRule,
  save,
} from './fixture.ts'
import { answerIsLost, lossy } from './lossy.ts'

const rule = ruleOf('policy/regenerate')

/** A request gets a new session, as at a sign-in, while others end the one that it read. */

const ID = 'the-session-id'
const COPIED = 'Whoever was signed out everywhere is signed in again by a request that was under way.'
const user = (session: object): string | undefined => (session as { user?: string }).user

/** `req.session.regenerate`, with `generate` as the middleware sets it; fulfils with the id of the request then. */
function regenerate(store: SessionStore, session: RequestSession | undefined): Promise<string> {
  const req = { sessionID: ID, session }
  const generate = (request: { sessionID: string }): void => {
    request.sessionID = 'another-id'
  }
  Object.assign(store, { generate })
  return new Promise((resolve, reject) => {
    store.regenerate(req as never, (error) => (error ? reject(error) : resolve(req.sessionID)))
  })
}

const ends: Record<string, (store: SessionStore, clock: { now: number }) => Promise<unknown>> = {
  destroyed: (store) => store.destroy(ID),
  revoked: (store) => store.revoke(store.handle(ID)),
  'revoked-with-its-user': (store) => store.revokeUser('ann'),
  cleared: (store) => store.clear(),
  async expired(_store, clock) {
    clock.now += 48 * HOUR
  },
}

export const regenerations: StoreRule[] = [
  ...Object.entries(ends).map(([name, end]) =>
    rule(`of-a-session-that-was-${name}-meanwhile-is-GONE`, COPIED, async ({ one, other, clock }) => {
      const [store, second] = [one({ user }), other({ user })]
      await save(fresh(store, ID, { user: 'ann' }))
      const [read, saved] = [await load(store, ID), await load(store, ID)]
      saved.more = 1
      await save(saved)
      await end(second, clock)
      for (const session of [read, saved]) {
        await fails('GONE', regenerate(store, session), ID, store.handle(ID))
      }
      assert.equal(await second.get(ID), null)
    }),
  ),
  rule('beside-a-logout-is-one-of-the-two', COPIED, async ({ one, other }) => {
    for (let i = 0; i < 30; i++) {
      const [store, second] = [one({ user }), other({ user })]
      await save(fresh(store, ID, { user: 'ann' }))
      const session = await load(store, ID)
      const [renewed, ended] = await Promise.allSettled([
        regenerate(store, session),
        second.revokeUser('ann'),
      ])
      assert.equal(ended.status, 'fulfilled')
      if (renewed.status === 'rejected') assert.equal((renewed.reason as { code?: string }).code, 'GONE')
      assert.equal(await second.get(ID), null)
      await second.clear()
    }
  }),
  rule(
    'of-a-session-that-is-there-ends-it',
    'A sign-in fails, or leaves the session from before it open.',
    async ({ one, other }) => {
      const store = one({ user })
      await save(fresh(store, ID, { user: 'ann' }))
      const session = await load(store, ID)
      // Others may save and touch it meanwhile.
      const theirs = await load(other({ user }), ID)
      theirs.more = 1
      await save(theirs)
      assert.equal(await regenerate(store, session), 'another-id')
      assert.equal(await other().get(ID), null)
      await save(theirs)
      assert.equal(await other().get(ID), null)
    },
  ),
  rule(
    'of-a-session-that-nobody-stored-is-no-error',
    'The first sign-in of a new visitor fails.',
    async ({ one, on, drivers: [driver] }) => {
      const store = one()
      assert.equal(await regenerate(store, fresh(store, ID)), 'another-id')
      assert.equal(await regenerate(store, undefined), 'another-id')
      assert.equal(await regenerate(store, plain() as RequestSession), 'another-id')
      const network = lossy(driver)
      const unlucky = on(network)
      const session = fresh(unlucky, 'unanswered')
      network.next = answerIsLost(driver)
      await fails('UNAVAILABLE', save(session))
      assert.equal(await regenerate(unlucky, session), 'another-id')
    },
  ),
]
