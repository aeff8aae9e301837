import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import type { Session } from 'express-session'
import type { Tested } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import type { Data } from '../engine/subject.ts'
import { ID } from './shared.ts'

interface Req {
  sessionID: string
  session?: (Session & Data) | undefined
}

/**
 * Calls `store.regenerate` with a `generate` like that of the middleware.
 * @param session The session of the request.
 * @returns The request with its new id.
 */
function regenerateSession(store: Tested, id: string, session?: Session & Data): Promise<Req> {
  const req: Req = { sessionID: id, session }
  Object.assign(store.raw, {
    generate(request: Req) {
      request.sessionID = `${id}-regenerated`
    },
  })
  return new Promise((resolve, reject) => {
    store.raw.regenerate(req as never, (error: unknown) => (error ? reject(error) : resolve(req)))
  })
}

/** Rules about a new session for a request, and about what must not bring back the old one. */
export const regenerate: readonly Rule[] = [
  {
    id: 'regenerate/old-id-opens-nothing',
    title: 'after `store.regenerate` the old id opens nothing, and the request has a new one',
    level: 'must',
    why: 'Whoever planted an id in a browser before the login is logged in with its user.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const { sessionID } = await regenerateSession(store, ID)
      assert.equal(sessionID, `${ID}-regenerated`)
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'regenerate/of-nobody-is-no-error',
    title: '`store.regenerate` of a session that was never saved is no error',
    level: 'must',
    why: 'The first login of a new visitor fails.',
    check: async ({ store }) =>
      assert.equal((await regenerateSession(store, ID)).sessionID, `${ID}-regenerated`),
  },
  {
    id: 'regenerate/of-an-open-session-works',
    title:
      '`store.regenerate` of a session that is there works, also after other requests saved it, and of a new one',
    level: 'must',
    why: 'A login fails because another request of the same visitor saved its session meanwhile.',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const [one, other, none] = [await store.open(ID), await store.open(ID), await store.open('nobody')]
      other.seen = true
      await store.set(ID, other)
      assert.equal((await regenerateSession(store, ID, one)).sessionID, `${ID}-regenerated`)
      assert.equal(await store.data(ID), undefined)
      assert.equal((await regenerateSession(store, 'nobody', none)).sessionID, 'nobody-regenerated')
    },
  },
  {
    id: 'regenerate/of-a-destroyed-session-is-an-error',
    title:
      '`store.regenerate` of a session that another process destroyed since it was read calls back with an error',
    level: 'should',
    why: 'A request on its way when its user is locked out copies what it read into a new session, and is logged in.',
    source: 'https://github.com/expressjs/session#user-login',
    needs: ['second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const late = await store.open(ID)
      await second.destroy(ID)
      await assert.rejects(regenerateSession(store, ID, late))
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'regenerate/late-save-does-not-undo-it',
    title: 'a request that read the session before the login renewed its id does not bring the old id back',
    level: 'should',
    why: 'Whoever planted an id in a browser before the login keeps a session that its user may fill.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html',
    needs: ['second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const slow = await store.open(ID)
      await regenerateSession(second, ID)
      slow.late = true
      await store.set(ID, slow).catch(() => {})
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'regenerate/generates-though-the-database-is-away',
    title: 'while the database is away `store.regenerate` gives the request a new session all the same',
    level: 'must',
    why: 'After a login that failed half, the request goes on with the session that somebody planted.',
    source: 'https://github.com/expressjs/session/blob/v1.19.0/session/store.js',
    needs: ['stop'],
    async check({ store, session, backend }) {
      await store.set(ID, session({ name: 'Ada' }))
      const start = await backend.stop()
      let generated = false
      const generate = (): void => {
        generated = true
      }
      Object.assign(store.raw, { generate })
      const renewed = new Promise((resolve) => store.raw.regenerate({ sessionID: ID } as never, resolve))
      // Some stores answer once the database is back, and this rule is not about the delay.
      await Promise.race([renewed, wait(1000)])
      await start()
      await renewed
      assert.ok(generated)
    },
  },
]
