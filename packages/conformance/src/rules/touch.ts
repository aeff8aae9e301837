import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, HOUR, ID, LONG_AFTER, README, retryIfLate, SHORT } from './shared.ts'

/** Rules about what a touch does to the life of a session. */
export const touch: readonly Rule[] = [
  {
    id: 'touch/creates-nothing',
    title: 'a touch of a session that is not there creates nothing',
    level: 'must',
    why: 'A request that ends after the logout leaves a session behind that nobody made.',
    methods: ['touch'],
    async check({ store, session }) {
      // Some stores fail such a touch, which is what `touch/of-nobody-is-no-error` is about.
      await store.touch(ID, session({ name: 'Ada' })).catch(() => {})
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'touch/of-nobody-is-no-error',
    title: 'a touch of a session that is not there is no error',
    level: 'should',
    why: 'A request that ends just after the logout fails, and fills the log.',
    source: 'jdesboeufs/connect-mongo#407',
    methods: ['touch'],
    check: ({ store, session }) => store.touch(ID, session({ name: 'Ada' })),
  },
  {
    id: 'touch/of-a-destroyed-session-creates-nothing',
    title: 'a request that touches a session after another process destroyed it does not bring it back',
    level: 'must',
    why: 'A logout is undone by a request that only reads.',
    source: 'expressjs/session#957',
    methods: ['touch'],
    needs: ['second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const late = await store.open(ID)
      await second.destroy(ID)
      await store.touch(ID, late).catch(() => {})
      assert.deepEqual([await store.data(ID), await second.data(ID)], [undefined, undefined])
    },
  },
  {
    id: 'touch/extends',
    title: 'a touch with a later deadline extends the session',
    level: 'must',
    why: 'Whoever works without pause is logged out.',
    source: README,
    methods: ['touch'],
    check: retryIfLate(async ({ store, session, now, pass }, unit, assertBefore) => {
      const end = now() + 2 * unit
      await store.set(ID, session({ name: 'Ada' }, 2 * unit))
      await pass(unit / 2)
      await store.touch(ID, session({ name: 'Ada' }, HOUR))
      assertBefore(end)
      await pass(3 * unit)
      expectData(await store.data(ID), { name: 'Ada' })
    }),
  },
  {
    id: 'touch/extends-for-every-process',
    title: 'a touch in one process extends the session in the others',
    level: 'must',
    why: 'Whoever works without pause is logged out as soon as another server answers.',
    methods: ['touch'],
    needs: ['second'],
    check: retryIfLate(async ({ store, second, session, now, pass }, unit, assertBefore) => {
      const end = now() + 2 * unit
      await store.set(ID, session({ name: 'Ada' }, 2 * unit))
      await store.get(ID)
      await second.touch(ID, session({ name: 'Ada' }, HOUR))
      assertBefore(end)
      await pass(4 * unit)
      expectData(await store.data(ID), { name: 'Ada' })
    }),
  },
  {
    id: 'touch/extends-by-the-ttl',
    title: 'a touch of a session whose cookie has no deadline extends it by the `ttl` of the store',
    level: 'should',
    why: 'With session cookies, the default of express-session, whoever works without pause is logged out.',
    methods: ['touch'],
    options: { ttl: 3 * SHORT },
    needs: ['ttl'],
    check: retryIfLate(async ({ store, session, now, pass }, _unit, assertBefore) => {
      const first = now() + 3 * SHORT
      await store.set(ID, session({ name: 'Ada' }, null))
      await pass(2 * SHORT)
      const end = now() + 3 * SHORT
      await store.touch(ID, session({ name: 'Ada' }, null))
      assertBefore(first)
      await pass(1.9 * SHORT)
      const found = await store.data(ID)
      assertBefore(end)
      expectData(found, { name: 'Ada' })
    }),
  },
  {
    id: 'touch/without-a-deadline-extends',
    title: 'a touch whose cookie has no deadline extends a session that had one',
    level: 'should',
    why: 'A "remember me" that is taken back ends the session in the middle of the work.',
    methods: ['touch'],
    check: retryIfLate(async ({ store, session, now, pass }, unit, assertBefore) => {
      const end = now() + 2 * unit
      await store.set(ID, session({ name: 'Ada' }, 2 * unit))
      await store.touch(ID, session({ name: 'Ada' }, null))
      assertBefore(end)
      await pass(4 * unit)
      expectData(await store.data(ID), { name: 'Ada' })
    }),
  },
  {
    id: 'touch/shortens',
    title: 'a touch with an earlier deadline makes the session end earlier',
    level: 'should',
    why: 'A shorter `cookie.maxAge` holds in the browser, and a copy of the cookie goes on.',
    methods: ['touch'],
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, HOUR))
      await store.touch(ID, session({ name: 'Ada' }, SHORT))
      await pass(LONG_AFTER)
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'touch/with-a-past-deadline-ends',
    title: 'after a touch with a deadline in the past the session is gone',
    level: 'should',
    why: 'An application that logs out by `cookie.maxAge` logs nobody out, for nothing else changed.',
    methods: ['touch'],
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      await store.touch(ID, session({ name: 'Ada' }, -HOUR))
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'touch/agrees-with-set',
    title: 'where `ttl` and cookie differ, a touch and a save give a session the same end',
    level: 'should',
    why: 'How long a session lives depends on whether its last request changed something.',
    methods: ['touch'],
    options: { ttl: SHORT },
    needs: ['ttl'],
    async check({ store, session, pass }) {
      await Promise.all([store.set('saved', session()), store.set('touched', session())])
      await store.touch('touched', session())
      await pass(LONG_AFTER)
      const [saved, touched] = [await store.data('saved'), await store.data('touched')]
      assert.equal(touched === undefined, saved === undefined, 'only one of the two sessions has ended')
    },
  },
  {
    id: 'touch/moves-the-deadline-that-get-tells',
    title: 'after a touch, `get` gives the cookie the deadline that it was touched with',
    level: 'should',
    why: 'The application reads that a session has ended which goes on; saved as it is, it ends.',
    source: 'tj/connect-redis#259',
    methods: ['touch'],
    async check({ store, session }) {
      await store.set(ID, session({}, HOUR))
      const touched = session({}, 3 * HOUR)
      await store.touch(ID, touched)
      const { cookie } = (await store.get(ID))!
      const [actual, expected] = [cookie.expires, touched.cookie.expires].map((date) => +new Date(date!))
      // The store may round deadlines to whole seconds.
      const difference = actual! - expected!
      assert.ok(Math.abs(difference) < 2000, `the deadline differs by ${difference} ms`)
    },
  },
  {
    id: 'touch/keeps-a-new-max-age',
    title: 'a `cookie.maxAge` that a request changed, and nothing else, is there at the next request',
    level: 'should',
    why: 'express-session does not save such a change but touches: "remember me" lasts for one request.',
    source: 'https://github.com/expressjs/session#cookiemaxage',
    methods: ['touch'],
    async check({ store, session }) {
      await store.set(ID, session({}, HOUR))
      const open = await store.open(ID)
      open.cookie.maxAge = 3 * HOUR
      await store.touch(ID, open)
      const { cookie } = await store.open(ID)
      // The setter reads the clock twice, so the value may differ by some milliseconds.
      assert.ok(
        Math.abs(cookie.originalMaxAge! - 3 * HOUR) < 2000,
        `\`originalMaxAge\` is ${cookie.originalMaxAge}`,
      )
    },
  },
]
