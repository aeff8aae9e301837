import { failWhenBusy, force, listKeys, type Mutant, readAll, stores } from './helpers.ts'

export const prune: Readonly<Record<string, Mutant>> = {
  'contract/prune/never-removes-a-live-row': (driver) => ({
    prune: (before, limit) => driver.prune(before + 2, limit),
  }),
  'contract/prune/never-removes-what-lives-by-the-clock-of-the-database': (driver) => ({
    async prune(before, limit) {
      const over = (await readAll(driver)).filter((row) => row.expiresAt < before).slice(0, limit)
      for (const row of over)
        await driver.write([{ ...row, data: null, expect: undefined, tag: 'pruned', expiresAt: 0 }], 1)
      return driver.prune(before, limit)
    },
  }),
  'contract/prune/removes-what-expired-long-ago': () => ({ prune: () => 0 }),
  'contract/prune/works-in-bounded-steps': (driver) => ({ prune: (before) => driver.prune(before, 1e6) }),
  'contract/prune/gets-past-sessions-that-were-extended': (driver) => ({
    async prune(before, limit) {
      const oldest = (await readAll(driver))
        .sort((one, other) => one.createdAt - other.createdAt)
        .slice(0, limit)
      return oldest.some((row) => row.expiresAt < before) ? driver.prune(before, limit) : 0
    },
  }),
  'contract/prune/of-nothing-returns-zero': (driver) => ({
    prune: async (before, limit) => Math.max(1, await driver.prune(before, limit)),
  }),
  'contract/prune/prunes-side-by-side-do-no-harm': failWhenBusy('prune'),
  'contract/prune/clear-removes-every-row': (driver) => ({
    async clear() {
      const dead = (await readAll(driver)).filter(({ data }) => data === null)
      await driver.clear()
      for (const row of dead) await force(driver, row)
    },
  }),
  'contract/prune/clear-of-nothing-succeeds': (driver) => ({
    async clear() {
      if ((await listKeys(driver)).length === 0) throw new Error('mutant: no keys to delete')
      await driver.clear()
    },
  }),
  'contract/prune/clear-leaves-other-stores-alone': (driver) => {
    stores.add(driver)
    return {
      async clear() {
        for (const store of stores) await store.clear()
      },
    }
  },
}
