import type { Row } from '@session-stores/core'
import { failsAtTwice, looksThenGivesUp, looksThenTouches, looksThenWrites, type Mutant } from './helpers.ts'

export const race: Readonly<Record<string, Mutant>> = {
  'contract/race/writes-are-seen-by-the-other-process-at-once': (driver) => {
    const cache = new Map<string, Row[]>()
    return {
      async read(keys) {
        const cached = cache.get(keys.join()) ?? (await driver.read(keys))
        cache.set(keys.join(), cached)
        return cached
      },
    }
  },
  'contract/race/every-call-may-run-beside-any-other': failsAtTwice('setup'),
  'contract/race/one-of-two-creates-lands': looksThenWrites,
  'contract/race/one-of-two-updates-lands': looksThenWrites,
  'contract/race/both-of-two-tombstones-land': looksThenGivesUp,
  'contract/race/both-of-two-resends-land': looksThenGivesUp,
  'contract/race/destroy-beside-an-update-is-final': looksThenWrites,
  'contract/race/conditional-destroy-beside-an-update-decides-for-one': looksThenWrites,
  'contract/race/destroy-beside-a-create-is-final': looksThenWrites,
  'contract/race/extend-beside-a-touch-keeps-the-later-deadline': looksThenWrites,
  'contract/race/touch-with-a-tag-beside-an-update-leaves-its-deadline': looksThenTouches,
  'contract/race/destroy-beside-a-touch-is-final': looksThenTouches,
  'contract/race/touch-beside-an-update-loses-nothing': looksThenTouches,
  'contract/race/batches-with-common-rows-never-fail': failsAtTwice('write'),
}
