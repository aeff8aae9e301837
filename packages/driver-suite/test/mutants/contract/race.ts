import type { Row } from '@session-stores/core'
import { failWhenBusy, lookThenGiveUp, lookThenTouch, lookThenWrite, type Mutant } from './helpers.ts'

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
  'contract/race/every-call-may-run-beside-any-other': failWhenBusy('setup'),
  'contract/race/one-of-two-creates-lands': lookThenWrite,
  'contract/race/one-of-two-updates-lands': lookThenWrite,
  'contract/race/both-of-two-tombstones-land': lookThenGiveUp,
  'contract/race/both-of-two-resends-land': lookThenGiveUp,
  'contract/race/destroy-beside-an-update-is-final': lookThenWrite,
  'contract/race/conditional-destroy-beside-an-update-decides-for-one': lookThenWrite,
  'contract/race/destroy-beside-a-create-is-final': lookThenWrite,
  'contract/race/extend-beside-a-touch-keeps-the-later-deadline': lookThenWrite,
  'contract/race/touch-with-a-tag-beside-an-update-leaves-its-deadline': lookThenTouch,
  'contract/race/destroy-beside-a-touch-is-final': lookThenTouch,
  'contract/race/touch-beside-an-update-loses-nothing': lookThenTouch,
  'contract/race/batches-with-common-rows-never-fail': failWhenBusy('write'),
}
