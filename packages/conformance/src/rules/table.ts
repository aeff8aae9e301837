import type { Rule } from '../engine/rule.ts'
import { expectData, ID, isRefused } from './shared.ts'

/**
 * Code for stores that put quotes around the name of a table, and for stores that do not. The name
 * is short, because some databases truncate names.
 */
const CODE = 'x(a);DROP TABLE mine;--"(a);DROP TABLE mine;--'

/** Rules about the names of tables. */
export const table: readonly Rule[] = [
  {
    id: 'table/any-name',
    title: 'a table whose name has spaces, capitals and quotes in it holds sessions, or is refused',
    level: 'should',
    why: 'The store saves nothing, and nobody is told; or the process ends.',
    options: { tables: ['sessions', `Ada's "own" Sessions`] },
    mayRefuse: true,
    needs: ['tables', 'second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const refused = await isRefused(second.set(ID, session({ name: 'Bob' })))
      if (!refused) expectData(await second.data(ID), { name: 'Bob' })
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'table/is-no-code',
    title:
      'the name of a table is never executed: it holds sessions, or is refused, and no other table is harmed',
    level: 'should',
    why: 'A name that comes from a customer drops the sessions of all the others.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html',
    options: { tables: ['mine', CODE] },
    mayRefuse: true,
    needs: ['tables', 'second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const calls = [
        () => second.set(ID, session({ name: 'Bob' })),
        () => second.get(ID),
        () => second.destroy(ID),
      ]
      // Whether such a table works is what `table/any-name` is about.
      for (const call of calls) await call().catch(() => {})
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
]
