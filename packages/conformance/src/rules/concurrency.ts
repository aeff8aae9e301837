import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, ID, makeIds } from './shared.ts'

/** Makes data that differs in content and length for each number. */
const makeData = (i: number) => ({ i, text: 'x'.repeat(10 * i) })

/** Rules about many calls at once. */
export const concurrency: readonly Rule[] = [
  {
    id: 'concurrency/first-saves-at-once',
    title: '100 first saves of one session at once are all answered without an error, and one of them stays',
    level: 'must',
    why: 'A new visitor whose page has many parts gets errors.',
    source: 'kleydon/prisma-session-store#197',
    async check({ store, session }) {
      await Promise.all(makeIds(100).map((_, i) => store.set(ID, session(makeData(i)))))
      const found = await store.data(ID)
      expectData(found, makeData(found?.i as number))
    },
  },
  {
    id: 'concurrency/first-saves-in-two-processes',
    title: 'first saves of one session by two processes at once are no error, and both read the same',
    level: 'must',
    why: 'Behind a balancer a new visitor gets errors, or has two sessions.',
    needs: ['second'],
    async check({ store, second, session }) {
      await Promise.all(makeIds(40).map((_, i) => [store, second][i % 2]!.set(ID, session(makeData(i)))))
      const [here, there] = [await store.data(ID), await second.data(ID)]
      assert.equal(here?.i, there?.i)
      expectData(here, makeData(here?.i as number))
    },
  },
  {
    id: 'concurrency/first-saves-are-one-session',
    title: 'after 100 first saves of one session at once there is one session',
    level: 'must',
    why: 'Every burst leaves sessions behind; a logout ends one of them.',
    methods: ['length'],
    async check({ store, session }) {
      await Promise.all(makeIds(100).map((_, i) => store.set(ID, session({ i })).catch(() => {})))
      assert.equal(await store.length(), 1)
    },
  },
  {
    id: 'concurrency/saves-of-many-sessions',
    title: 'of 60 sessions that are saved at once each is as it was saved',
    level: 'must',
    why: 'Under load somebody is another user, or nobody.',
    async check({ store, session }) {
      const all = makeIds(60)
      await Promise.all(all.map((id, i) => store.set(id, session(makeData(i)))))
      for (const [i, id] of all.entries()) expectData(await store.data(id), makeData(i))
    },
  },
  {
    id: 'concurrency/reads-of-many-sessions',
    title: 'of 60 sessions that are read at once everybody gets his own',
    level: 'must',
    why: 'Under load somebody is another user.',
    async check({ store, session }) {
      const all = makeIds(60)
      for (const [i, id] of all.entries()) await store.set(id, session(makeData(i)))
      const found = await Promise.all(all.map((id) => store.data(id)))
      for (const [i, one] of found.entries()) expectData(one, makeData(i))
    },
  },
  {
    id: 'concurrency/reads-of-one-session',
    title: '100 reads of one session at once are all answered with it',
    level: 'must',
    why: 'A page with many parts comes up half.',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const found = await Promise.all(makeIds(100).map(() => store.data(ID)))
      for (const one of found) expectData(one, { name: 'Ada' })
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
        expectData(await store.data(ID), { turn })
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
        expectData(await reader.data(ID), { turn })
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
      await store.set(ID, session(makeData(0)))
      for (let turn = 1; turn <= 20; turn++) {
        const saved = store.set(ID, session(makeData(turn)))
        const found = await Promise.all([store.data(ID), store.data(ID)])
        await saved
        for (const one of found)
          assert.ok(
            one?.i === turn || one?.i === turn - 1,
            `the read returns ${JSON.stringify(one)?.slice(0, 40)}`,
          )
        for (const one of found) expectData(one, makeData(one!.i as number))
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
      const all = makeIds(20)
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
