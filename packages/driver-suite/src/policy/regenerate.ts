import assert from 'node:assert/strict'
import type { SessionStore } from '@session-stores/core'
import { endings } from './endings.ts'
import { assertFails, prefixRules, type StoreRule } from './fixture.ts'
import { loseReply, makeLossy } from './lossy.ts'
import { ID, load, makeFresh, makePlain, type RequestSession, readUser, save } from './sessions.ts'

/**
 * Rules about a request that gets a new session, as at a sign-in, while others end the one that it
 * read.
 */

const rule = prefixRules('policy/regenerate')

const COPIED = 'Whoever was signed out everywhere is signed in again by a request that was under way.'
/**
 * Does what `req.session.regenerate` does, with a `generate` as the middleware sets it, and returns
 * the new id.
 */
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

export const regenerations: StoreRule[] = [
  ...Object.entries(endings).map(([name, end]) =>
    rule(`of-a-session-that-was-${name}-meanwhile-is-GONE`, COPIED, async ({ open, openOther, clock }) => {
      const [store, second] = [open({ user: readUser }), openOther({ user: readUser })]
      await save(makeFresh(store, ID, { user: 'ann' }))
      const [read, saved] = [await load(store, ID), await load(store, ID)]
      saved.more = 1
      await save(saved)
      await end(second, clock)
      for (const session of [read, saved]) {
        await assertFails('GONE', regenerate(store, session), ID, store.handle(ID))
      }
      assert.equal(await second.get(ID), null)
    }),
  ),
  rule('beside-a-logout-is-one-of-the-two', COPIED, async ({ open, openOther }) => {
    for (let i = 0; i < 30; i++) {
      const [store, second] = [open({ user: readUser }), openOther({ user: readUser })]
      await save(makeFresh(store, ID, { user: 'ann' }))
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
    async ({ open, openOther }) => {
      const store = open({ user: readUser })
      await save(makeFresh(store, ID, { user: 'ann' }))
      const session = await load(store, ID)
      // Another request may save the session meanwhile.
      const theirs = await load(openOther({ user: readUser }), ID)
      theirs.more = 1
      await save(theirs)
      assert.equal(await regenerate(store, session), 'another-id')
      assert.equal(await openOther().get(ID), null)
      await save(theirs)
      assert.equal(await openOther().get(ID), null)
    },
  ),
  rule(
    'of-a-session-that-nobody-stored-is-no-error',
    'The first sign-in of a new visitor fails.',
    async ({ open, openOn, drivers: [driver] }) => {
      const store = open()
      assert.equal(await regenerate(store, makeFresh(store, ID)), 'another-id')
      assert.equal(await regenerate(store, undefined), 'another-id')
      assert.equal(await regenerate(store, makePlain() as RequestSession), 'another-id')
      const network = makeLossy(driver)
      const unlucky = openOn(network)
      const session = makeFresh(unlucky, 'unanswered')
      network.next = loseReply(driver)
      await assertFails('UNAVAILABLE', save(session))
      assert.equal(await regenerate(unlucky, session), 'another-id')
    },
  ),
]
