import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, findLive, ID, isRefused, makeIds, README } from './shared.ts'

/** Why a session that was destroyed must not come back. */
const why = 'Who has logged out is logged in again: whoever stole the cookie, or sits down next, goes on.'

/** Rules about the end of a session, and about what must not bring it back. */
export const destroy: readonly Rule[] = [
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
      await Promise.all(makeIds(50).map(() => store.destroy(ID)))
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
      expectData(await store.data(ID), { name: 'Bob', old: undefined })
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
      expectData(await store.data(ID), { name: 'Ada' })
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
      if (!refused) expectData(await store.data(ID), { name: 'Bob' })
    },
  },
  {
    id: 'destroy/wins-over-the-save-before-it',
    title: 'a session that one process saves, and destroys without waiting for the save, is gone',
    level: 'should',
    why,
    async check({ store, session, trace }) {
      const all = makeIds(50)
      await Promise.all(all.flatMap((id) => [store.set(id, session({ name: 'Ada' })), store.destroy(id)]))
      const left = await findLive(store, all)
      trace.keep(...left.slice(0, 1))
      assert.equal(left.length, 0, 'how many are left')
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
      // The store may refuse the save as well.
      await store.set(ID, slow).catch(() => {})
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'destroy/late-save-elsewhere-does-not-undo-it',
    title:
      'a request that read a session before another process destroyed it, and saves it after, does not bring it back',
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
      // Which call comes first is chance, so one round would not be enough.
      for (const round of makeIds(6)) {
        const all = makeIds(50).map((id) => `${round}-${id}`)
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
        const left = await findLive(store, all)
        trace.keep(...left.slice(0, 1))
        assert.equal(left.length, 0, 'how many are left')
      }
    },
  },
]
