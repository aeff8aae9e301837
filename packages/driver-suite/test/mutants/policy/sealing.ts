import { type Driver, type Row, SessionStore } from '@session-stores/core'
import type { Mutant } from './helpers.ts'

export const sealing: Readonly<Record<string, Mutant>> = {
  'policy/sealing/a-dump-without-sealing-gives-no-id-away': (_right, driver, options) => {
    const plain = new SessionStore(driver, { ...options, hashIds: false })
    return { set: plain.set.bind(plain) }
  },
  'policy/sealing/a-dump-gives-nothing-away': (_right, driver, { seal, ...options }) => {
    const open = new SessionStore(driver, options)
    return { set: open.set.bind(open), get: open.get.bind(open) }
  },
  'policy/sealing/a-seal-holds-for-its-user-its-beginning-and-its-place': (_right, driver, options) => {
    // The mutant opens a sealed session even after its columns were changed.
    const sealed = new Map<string, Pick<Row, 'user' | 'createdAt'>>()
    const trusting: Driver = {
      ...driver,
      place: 'anywhere',
      async read(keys) {
        const rows = await driver.read(keys)
        return rows.map((row) => {
          const first = sealed.get(`${row.data}`) ?? { user: row.user, createdAt: row.createdAt }
          sealed.set(`${row.data}`, first)
          return { ...row, ...first }
        })
      },
    }
    const open = new SessionStore(trusting, options)
    return { get: open.get.bind(open), set: open.set.bind(open) }
  },
}
