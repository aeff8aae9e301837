import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { holds, ID, ids } from './shared.ts'

/** Many calls at once. */

/** Sessions that cannot be taken for each other. */
const named = (i: number) => ({ i, text: 'x'.repeat(10 * i) })

export const concurrency: readonly Rule[] = [
  {
    id: 'concurrency/first-saves-at-once',
    title: '100 first saves of one session at once are all answered without an error, and one of them stays',
    level: 'must',
    why: 'A new visitor whose page has many parts gets errors.',
    source: 'kleydon/prisma-session-store#197',
    async check({ store, session }) {
      await Promise.all(ids(100).map((_, i) => store.set(ID, session(named(i)))))
      const found = await store.data(ID)
      holds(found, named(found?.i as number))
    },
  },
  {
    id: 'concurrency/first-saves-in-two-processes',
    title: 'first saves of one session by two processes at once are no error, and both read the same',
    level: 'must',
    why: 'Behind a balancer a new visitor gets errors, or has two sessions.',
    needs: ['second'],
    async check({ store, second, session }) {
      await Promise.all(ids(40).map((_, i) => [store, second][i % 2]!.set(ID, session(named(i)))))
      const [here, there] = [await store.data(ID), await second.data(ID)]
      assert.equal(here?.i, there?.i)
      holds(here, named(here?.i as number))
    },
  },
  {
    id: 'concurrency/first-saves-are-one-session',
    title: 'after 100 first saves of one session at once there is one session',
    level: 'must',
    why: 'Every burst leaves sessions behind; a logout ends one of them.',
    methods: ['length'],
    async check({ store, session }) {
      await Promise.all(ids(100).map((_, i) => store.set(ID, session({ i })).catch(() => {})))
      assert.equal(await store.length(), 1)
    },
  },
  {
    id: 'concurrency/saves-of-many-sessions',
    title: 'of 60 sessions that are saved at once each is as it was saved',
    level: 'must',
    why: 'Under load somebody is another user, or nobody.',
    async check({ store, session }) {
      const all = ids(60)
      await Promise.all(all.map((id, i) => store.set(id, session(named(i)))))
      for (const [i, id] of all.entries()) holds(await store.data(id), named(i))
    },
  },
  {
    id: 'concurrency/reads-of-many-sessions',
    title: 'of 60 sessions that are read at once everybody gets his own',
    level: 'must',
    why: 'Under load somebody is another user.',
    async check({ store, session }) {
      const all = ids(60)
      for (const [i, id] of all.entries()) await store.set(id, session(named(i)))
      const found = await Promise.all(all.map((id) => store.data(id)))
      for (const [i, one] of found.entries()) holds(one, named(i))
    },
  },
  {
    id: 'concurrency/reads-of-one-session',
    title: '100 reads of one session at once are all answered with it',
    level: 'must',
    why: 'A page with many parts comes up half.',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const found = await Promise.all(ids(100).map(() => store.data(ID)))
      for (const one of found) holds(one, { name: 'Ada' })
    },
  },
  {
    id: 'concurrency/reads-of-one-session-are-apart',
    title:
      'two reads of one session at once give two objects: what one request changes the other does not see',
    level: 'must',
    why: 'One request sees the other half done, or saves what it gave up.',
    async check({ store, session }) {
      await store.set(ID, session({ cart: [1] }))
      const [one, other] = await Promise.all([store.get(ID), store.get(ID)])
      ;(one!.cart as number[]).push(2)
      assert.deepEqual(other!.cart, [1])
    },
  },
  {
    id: 'concurrency/read-sees-the-save-before-it',
    title: 'what a save called back for is what the next read gives, 20 times in a row',
    level: 'must',
    why: 'The page after the redirect shows what was before.',
    async check({ store, session }) {
      for (let turn = 0; turn < 20; turn++) {
        await store.set(ID, session({ turn }))
        holds(await store.data(ID), { turn })
      }
    },
  },
  {
    id: 'concurrency/other-process-sees-the-save-before-it',
    title: 'what a save called back for is what the next read in another process gives, 20 times in a row',
    level: 'must',
    why: 'The page after the redirect, from another server, shows what was before.',
    needs: ['second'],
    async check({ store, second, session }) {
      for (let turn = 0; turn < 20; turn++) {
        const [writer, reader] = turn % 2 ? [store, second] : [second, store]
        await writer.set(ID, session({ turn }))
        holds(await reader.data(ID), { turn })
      }
    },
  },
  {
    id: 'concurrency/read-beside-a-save-is-whole',
    title: 'a read while the session is saved gives it as it was or as it will be, whole',
    level: 'must',
    why: 'In the moment of a save the user is logged out, or the request fails.',
    source: 'valery-barysok/session-file-store#21',
    async check({ store, session }) {
      await store.set(ID, session(named(0)))
      for (let turn = 1; turn <= 20; turn++) {
        const saved = store.set(ID, session(named(turn)))
        const found = await Promise.all([store.data(ID), store.data(ID)])
        await saved
        for (const one of found)
          assert.ok(one?.i === turn || one?.i === turn - 1, `it reads ${JSON.stringify(one)?.slice(0, 40)}`)
        for (const one of found) holds(one, named(one!.i as number))
      }
    },
  },
  {
    id: 'concurrency/crowd-is-answered',
    title:
      'reads, saves and touches of 20 sessions and destroys of 20 others, all at once, are all answered without an error',
    level: 'must',
    why: 'Under load requests fail.',
    methods: ['touch'],
    async check({ store, session }) {
      const all = ids(20)
      await Promise.all(
        Array.from({ length: 15 }, (_, turn) =>
          all.map((id, i) => {
            const calls = [
              () => store.set(id, session({ turn })),
              () => store.get(id),
              () => store.touch(id, session()).catch(() => {}),
              () => store.get(id),
              () => store.destroy(`another-${id}`),
            ]
            return calls[(turn + i) % calls.length]!()
          }),
        ).flat(),
      )
    },
  },
]
