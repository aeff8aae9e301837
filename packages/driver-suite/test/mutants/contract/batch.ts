import { memoryDriver } from '@session-stores/core'
import { force, type Mutant } from './helpers.ts'

export const batch: Readonly<Record<string, Mutant>> = {
  'contract/batch/decides-each-row-alone': (driver) => ({
    async write(writes, now) {
      const scratch = memoryDriver()
      for (const row of await driver.read(writes.map(({ key }) => key))) await force(scratch, row)
      const keys = await scratch.write(writes, now)
      return keys.length === writes.length ? driver.write(writes, now) : []
    },
  }),
  'contract/batch/of-256-lands': (driver) => ({
    write: (writes, now) => driver.write(writes.slice(0, 255), now),
  }),
  'contract/batch/of-256-extends-each-alone': (driver) => ({
    write: (writes, now) =>
      driver.write(
        writes.map((write) => ({ ...write, extend: writes.some(({ extend }) => extend) })),
        now,
      ),
  }),
}
