import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import type { Session } from 'express-session'
import type { Tested } from '../engine/context.ts'
import type { Data, Rule } from '../engine/rule.ts'
import { holds, ID, ids, isRefused, README } from './shared.ts'

/** What destroys a session, and what must not bring it back. */

const why = 'Who has logged out is logged in again: whoever stole the cookie, or sits down next, goes on.'

interface Req {
  sessionID: string
  session?: (Session & Data) | undefined
}

/** `store.regenerate`, with `generate` as the middleware sets it; fulfils with the request, which had this session. */
function regenerate(store: Tested, id: string, session?: Session & Data): Promise<Req> {
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

export const logouts: readonly Rule[] = [
  {
    id: 'destroy/ends-the-session',
    title: 'a session that was destroyed is gone',
    level: 'must',
    why: 'Who has logged out is still logged in.',
    source: README,
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      await store.destroy(ID)
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'destroy/ends-it-in-every-process',
    title: 'a session that one process destroyed is gone in another that read it before',
    level: 'must',
    why: 'Who has logged out is still logged in, on some of the servers.',
    needs: ['second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      await second.get(ID)
      await store.destroy(ID)
      assert.equal(await second.data(ID), undefined)
    },
  },
  {
    id: 'destroy/ends-only-its-own',
    title: 'to destroy one session leaves the others, also those whose id begins like it',
    level: 'must',
    why: 'A logout logs out somebody else.',
    async check({ store, session }) {
      const others = [`${ID}-2`, ID.slice(0, -1), `a-${ID}`]
      for (const id of [ID, ...others]) await store.set(id, session({ id }))
      await store.destroy(ID)
      for (const id of others) assert.ok(await store.data(id), `${id} is gone`)
    },
  },
  {
    id: 'destroy/twice-is-no-error',
    title: 'to destroy a session again is no error',
    level: 'must',
    why: 'With `unset: "destroy"` express-session destroys twice: the logout fails.',
    source: 'https://github.com/expressjs/session#unset',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      await store.destroy(ID)
      await store.destroy(ID)
    },
  },
  {
    id: 'destroy/of-nobody-is-no-error',
    title: 'to destroy a session that was never saved is no error',
    level: 'must',
    why: 'A login that renews the session of a new visitor fails: express-session destroys what it never saved.',
    source: 'kleydon/prisma-session-store#91',
    check: ({ store }) => store.destroy(ID),
  },
  {
    id: 'destroy/many-at-once',
    title: '50 destroys of one session at once are no error, and it is gone',
    level: 'must',
    why: 'A logout that is clicked twice is an error page.',
    source: 'kleydon/prisma-session-store#91',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      await Promise.all(ids(50).map(() => store.destroy(ID)))
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'destroy/id-can-be-used-again',
    title: 'a new session under the id of a destroyed one is there, with nothing of the old one',
    level: 'must',
    why: 'An application with ids of its own cannot log in again.',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada', old: true }))
      await store.destroy(ID)
      const fresh = await store.open(ID)
      fresh.name = 'Bob'
      await store.set(ID, fresh)
      holds(await store.data(ID), { name: 'Bob', old: undefined })
    },
  },
  {
    id: 'destroy/of-nobody-keeps-no-later-session-away',
    title: 'a session that is saved under an id which was destroyed before anybody had it is there',
    level: 'should',
    why: 'A store of logouts removes a mark at each login and sets it when the provider logs the user out: nobody is.',
    source: 'https://openid.net/specs/openid-connect-backchannel-1_0.html',
    async check({ store, session }) {
      await store.destroy(ID)
      await store.set(ID, session({ name: 'Ada' }))
      holds(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'destroy/save-after-it-is-kept-or-refused',
    title: 'a session that is saved under the id of a destroyed one is there, or its save is an error',
    level: 'should',
    why: 'Whoever saves it is told that this is done, and it is not.',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      await store.destroy(ID)
      const refused = await isRefused(store.set(ID, session({ name: 'Bob' })))
      if (!refused) holds(await store.data(ID), { name: 'Bob' })
    },
  },
  {
    id: 'destroy/wins-over-the-save-before-it',
    title: 'a session that one process saves, and destroys without waiting for the save, is gone',
    level: 'should',
    why,
    async check({ store, session, trace }) {
      const all = ids(50)
      await Promise.all(all.flatMap((id) => [store.set(id, session({ name: 'Ada' })), store.destroy(id)]))
      const found = await Promise.all(all.map((id) => store.data(id)))
      const left = all.filter((_, i) => found[i])
      trace.keep(...left.slice(0, 1))
      assert.equal(left.length, 0, 'how many are there')
    },
  },
  {
    id: 'destroy/late-save-does-not-undo-it',
    title:
      'a request that read a session before it was destroyed, and saves it after, does not bring it back',
    level: 'should',
    why,
    source: 'expressjs/session#632',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const slow = await store.open(ID)
      await store.destroy(ID)
      slow.late = true
      // To refuse it is as good.
      await store.set(ID, slow).catch(() => {})
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'destroy/late-save-elsewhere-does-not-undo-it',
    title: 'nor does one that another process answers',
    level: 'should',
    why,
    source: 'tj/connect-redis#328',
    needs: ['second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const slow = await store.open(ID)
      await second.destroy(ID)
      slow.late = true
      await store.set(ID, slow).catch(() => {})
      assert.deepEqual([await store.data(ID), await second.data(ID)], [undefined, undefined])
    },
  },
  {
    id: 'destroy/save-at-the-same-moment-does-not-undo-it',
    title: 'a session that is destroyed while another process saves it is gone, whichever comes first',
    level: 'should',
    why,
    source: 'tj/connect-redis#328',
    needs: ['second'],
    async check({ store, second, session, trace }) {
      // Who comes first is chance: once is not enough.
      for (const round of ids(6)) {
        const all = ids(50).map((id) => `${round}-${id}`)
        await Promise.all(all.map((id) => store.set(id, session({ name: 'Ada' }))))
        const slow = await Promise.all(all.map((id) => store.open(id)))
        await Promise.all(
          all.map(async (id, i) => {
            slow[i]!.late = true
            const save = () => store.set(id, slow[i]!).catch(() => {})
            const destroy = () => second.destroy(id)
            await Promise.all((i % 2 ? [save, destroy] : [destroy, save]).map((call) => call()))
          }),
        )
        const found = await Promise.all(all.map((id) => store.data(id)))
        const left = all.filter((_, i) => found[i])
        trace.keep(...left.slice(0, 1))
        assert.equal(left.length, 0, 'how many are there')
      }
    },
  },
  {
    id: 'regenerate/old-id-opens-nothing',
    title: 'after `store.regenerate` the old id opens nothing, and the request has a new one',
    level: 'must',
    why: 'Whoever planted an id in a browser before the login is logged in with its user.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const { sessionID } = await regenerate(store, ID)
      assert.equal(sessionID, `${ID}-regenerated`)
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'regenerate/of-nobody-is-no-error',
    title: '`store.regenerate` of a session that was never saved is no error',
    level: 'must',
    why: 'The first login of a new visitor fails.',
    check: async ({ store }) => assert.equal((await regenerate(store, ID)).sessionID, `${ID}-regenerated`),
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
      assert.equal((await regenerate(store, ID, one)).sessionID, `${ID}-regenerated`)
      assert.equal(await store.data(ID), undefined)
      assert.equal((await regenerate(store, 'nobody', none)).sessionID, 'nobody-regenerated')
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
      await assert.rejects(regenerate(store, ID, late))
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
      await regenerate(second, ID)
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
      // Some stores answer when it is back: how long they may take is for other rules.
      await Promise.race([renewed, wait(1000)])
      await start()
      await renewed
      assert.ok(generated)
    },
  },
]
