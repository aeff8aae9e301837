import type { Tested } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import { expectData, ID, isRefused } from './shared.ts'

const closeStore = async (store: Tested): Promise<void> => {
  await (store.raw as unknown as { close(): unknown }).close()
}

/** Rules about the end of a store. */
export const close: readonly Rule[] = [
  {
    id: 'close/twice-is-no-error',
    title: 'to close a store again is no error',
    level: 'should',
    why: 'A shutdown fails because something else began it too, and what comes after is not done.',
    methods: ['close'],
    async check({ store, session: plain }) {
      await store.set(ID, plain())
      await Promise.all([closeStore(store), closeStore(store)])
      await closeStore(store)
    },
  },
  {
    id: 'close/calls-after-it-are-answered',
    title: 'calls of a closed store are answered, by an error or not, and do not throw',
    level: 'should',
    why: 'Requests that are still on their way when a shutdown begins hang, or end the process.',
    methods: ['close'],
    async check({ store, session: plain }) {
      await store.set(ID, plain())
      await closeStore(store)
      const answered = [
        new Promise((resolve) => store.raw.get(ID, resolve)),
        new Promise((resolve) => store.raw.set(ID, plain(), resolve)),
        new Promise((resolve) => store.raw.destroy(ID, resolve)),
      ]
      await Promise.all(answered)
    },
  },
  {
    id: 'close/keeps-what-was-saved-before',
    title: 'a save that was called before the store was closed is kept, or told as an error',
    level: 'should',
    why: 'With every restart some users lose what they just did.',
    methods: ['close'],
    needs: ['second'],
    async check({ store, second, session: plain }) {
      const refused = isRefused(store.set(ID, plain({ name: 'Ada' })))
      await closeStore(store)
      if (!(await refused)) expectData(await second.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'close/leaves-the-other-stores-open',
    title: 'a store goes on when another on the same database is closed, and so do the sessions',
    level: 'should',
    why: 'When one part of an application ends, or one server is replaced, nobody is logged in any more.',
    methods: ['close'],
    needs: ['second'],
    async check({ store, second, session: plain }) {
      await Promise.all([store.set(ID, plain({ name: 'Ada' })), second.get(ID)])
      await closeStore(store)
      expectData(await second.data(ID), { name: 'Ada' })
      await second.set(ID, plain({ name: 'Bob' }))
      expectData(await second.data(ID), { name: 'Bob' })
    },
  },
]
