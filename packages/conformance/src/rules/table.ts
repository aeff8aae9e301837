import type { Rule } from '../engine/rule.ts'
import { holds, ID } from './shared.ts'

/** The names of the tables. */

/** For stores that name a table as it is, and for those that put it in quotes. Short: some databases cut names off. */
const CODE = 'x(a);DROP TABLE mine;--"(a);DROP TABLE mine;--'

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
      const refused = await second.set(ID, session({ name: 'Bob' })).then(
        () => false,
        () => true,
      )
      if (!refused) holds(await second.data(ID), { name: 'Bob' })
      holds(await store.data(ID), { name: 'Ada' })
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
      // That it works is another rule's.
      for (const call of calls) await call().catch(() => {})
      holds(await store.data(ID), { name: 'Ada' })
    },
  },
]
