import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, ID, makeIds } from './shared.ts'

const APART = { options: { prefixes: ['shop:', 'admin:'] }, needs: ['prefixes', 'second'] } as const
/** The second prefix begins with the first. */
const NESTED = { options: { prefixes: ['sess:', 'sess:app2:'] }, needs: ['prefixes', 'second'] } as const
/** The first prefix is a pattern that matches the second. */
const PATTERN = { options: { prefixes: ['s[ab]*:', 'sa:'] }, needs: ['prefixes', 'second'] } as const

/** Rules about two applications on one database, each with a prefix of its own. */
export const prefix: readonly Rule[] = [
  {
    id: 'prefix/keeps-sessions-apart',
    title: 'under two prefixes one id is two sessions',
    level: 'must',
    why: 'A cookie of the shop opens the administration.',
    ...APART,
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      assert.equal(await second.data(ID), undefined)
      await second.set(ID, session({ name: 'Bob' }))
      expectData(await store.data(ID), { name: 'Ada' })
      expectData(await second.data(ID), { name: 'Bob' })
    },
  },
  {
    id: 'prefix/keeps-logouts-apart',
    title: 'to destroy a session under one prefix leaves that of the same id under another',
    level: 'must',
    why: 'A logout from one application is one from another.',
    ...APART,
    async check({ store, second, session }) {
      await Promise.all([store.set(ID, session({ name: 'Ada' })), second.set(ID, session({ name: 'Bob' }))])
      await store.destroy(ID)
      assert.equal(await store.data(ID), undefined)
      expectData(await second.data(ID), { name: 'Bob' })
    },
  },
  {
    id: 'prefix/length-counts-its-own',
    title: '`length` counts the sessions of its own prefix',
    level: 'must',
    why: 'A limit on the sessions of one application counts those of others.',
    methods: ['length'],
    ...APART,
    async check({ store, second, session }) {
      for (const id of makeIds(3)) await store.set(id, session())
      await second.set(ID, session())
      assert.deepEqual([await store.length(), await second.length()].map(Number), [3, 1])
    },
  },
  {
    id: 'prefix/all-tells-its-own',
    title: '`all` tells the sessions of its own prefix',
    level: 'must',
    why: 'One application shows the sessions of another.',
    methods: ['all'],
    ...APART,
    async check({ store, second, session }) {
      await Promise.all([store.set('a', session({ name: 'Ada' })), second.set('b', session({ name: 'Bob' }))])
      assert.deepEqual(
        (await store.all()).map(({ name }) => name),
        ['Ada'],
      )
    },
  },
  {
    id: 'prefix/clear-ends-its-own',
    title: '`clear` ends the sessions of its own prefix, and no others',
    level: 'must',
    why: 'Cleaning up one application logs everybody out of the others.',
    methods: ['clear'],
    ...APART,
    async check({ store, second, session }) {
      await Promise.all([store.set(ID, session()), second.set(ID, session())])
      await store.clear()
      assert.equal(await store.data(ID), undefined)
      assert.ok(await second.data(ID), 'the other application lost its session')
    },
  },
  {
    id: 'prefix/clear-leaves-a-longer-prefix',
    title: '`clear` under the prefix `sess:` leaves the sessions under `sess:app2:`',
    level: 'should',
    why: 'Cleaning up the first application logs everybody out of the second.',
    methods: ['clear'],
    ...NESTED,
    async check({ store, second, session }) {
      await Promise.all([store.set(ID, session()), second.set(ID, session())])
      await store.clear()
      assert.ok(await second.data(ID), 'the other application lost its session')
    },
  },
  {
    id: 'prefix/length-leaves-out-a-longer-prefix',
    title: '`length` under the prefix `sess:` leaves out the sessions under `sess:app2:`',
    level: 'should',
    why: 'A limit on the sessions of one application counts those of another.',
    methods: ['length'],
    ...NESTED,
    async check({ store, second, session }) {
      await Promise.all([store.set('a', session()), second.set('b', session())])
      assert.equal(Number(await store.length()), 1)
    },
  },
  {
    id: 'prefix/is-no-pattern',
    title: '`clear` under a prefix with `[`, `]` and `*` takes these characters literally',
    level: 'should',
    why: 'Cleaning up one application logs everybody out of another, or nobody at all.',
    methods: ['clear'],
    ...PATTERN,
    async check({ store, second, session }) {
      await Promise.all([store.set(ID, session()), second.set(ID, session())])
      await store.clear()
      assert.equal(await store.data(ID), undefined)
      assert.ok(await second.data(ID), 'the other application lost its session')
    },
  },
]
