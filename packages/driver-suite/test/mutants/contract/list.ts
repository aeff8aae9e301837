import { HOUR } from '../../../src/common.ts'
import { changePages, isLive, type Mutant, pageByDeadline, pageByOffset, readAll } from './helpers.ts'

export const list: Readonly<Record<string, Mutant>> = {
  'contract/list/of-nothing-is-empty': (driver) => ({
    async list(query) {
      const page = await driver.list(query)
      return page.keys.length > 0 ? page : { keys: ['nothing'] }
    },
  }),
  'contract/list/names-each-session-once': changePages((keys, { after, limit }) =>
    after && keys.length < limit ? [] : keys,
  ),
  'contract/list/of-a-user-names-each-of-its-sessions-once': (driver) => ({
    async list(query) {
      const page = await driver.list(query)
      return query.user === undefined ? page : { keys: page.keys }
    },
  }),
  'contract/list/of-2500-comes-in-pages': (driver) => ({
    list: ({ user }) => driver.list({ user, limit: 1e6 }),
  }),
  'contract/list/comes-in-large-pages-too': (driver) => ({
    async list(query) {
      if (query.limit <= 101) return driver.list(query)
      const { keys } = await driver.list({ ...query, limit: 101 })
      return { keys }
    },
  }),
  'contract/list/is-complete-while-sessions-come-and-go': pageByOffset,
  'contract/list/of-a-user-is-complete-while-sessions-come-and-go': pageByOffset,
  'contract/list/is-complete-while-sessions-are-used': pageByDeadline,
  'contract/list/of-a-user-is-complete-while-sessions-are-used': pageByDeadline,
  'contract/list/goes-on-past-dead-rows': (driver) => ({
    async list(query) {
      const { keys, next } = await driver.list(query)
      const alive = (await driver.read(keys)).filter(({ data }) => data !== null).map(({ key }) => key)
      return { keys: alive, next: alive.length > 0 ? next : undefined }
    },
  }),
  'contract/list/finds-a-session-after-its-user-changed': (driver) => {
    const first = new Map<string, string>()
    return {
      write(writes, now) {
        for (const { key, user } of writes) if (user && !first.has(key)) first.set(key, user)
        return driver.write(writes, now)
      },
      async list(query) {
        const { keys, next } = await driver.list(query)
        return {
          keys: keys.filter((key) => !query.user || (first.get(key) ?? query.user) === query.user),
          next,
        }
      },
    }
  },
  'contract/list/finds-a-session-that-was-extended': (driver) => ({
    async list(query) {
      const { keys, next } = await driver.list(query)
      const rows = await driver.read(keys)
      return { keys: rows.filter((row) => row.expiresAt <= row.createdAt + HOUR).map(({ key }) => key), next }
    },
  }),
  'contract/list/count-counts-live-sessions': (driver) => ({
    count: async (now) => (await readAll(driver)).filter((row) => isLive(row, now)).length,
  }),
  'contract/list/count-of-2500-is-exact': (driver) => ({
    count: async (now) => Math.min(await driver.count(now), 1000),
  }),
}
