import {
  changeLanded,
  changeReplaced,
  changeWrites,
  force,
  isSession,
  type Mutant,
  pretendToWrite,
  readAll,
} from './helpers.ts'

export const write: Readonly<Record<string, Mutant>> = {
  'contract/write/created-at-is-kept-by-update': changeReplaced((write) =>
    write.extend ? {} : { createdAt: write.createdAt },
  ),
  'contract/write/created-at-is-kept-by-an-extending-update': changeReplaced((write) =>
    write.extend ? { createdAt: write.createdAt } : {},
  ),
  'contract/write/created-at-is-renewed-after-expiry': changeLanded((_, before) =>
    before && before.data !== null ? { createdAt: before.createdAt } : {},
  ),
  'contract/write/created-at-is-renewed-after-a-tombstone': changeLanded((write, before) =>
    before?.data === null && write.data !== null ? { createdAt: before.createdAt } : {},
  ),
  'contract/write/user-follows-each-write': changeWrites((write, row) => ({
    ...write,
    user: write.user ?? row?.user ?? null,
  })),
  'contract/write/deadline-follows-each-write': changeWrites((write, row, now) =>
    isSession(row, now) && write.data !== null ? { ...write, extend: true } : write,
  ),
  'contract/write/session-saved-past-its-deadline-is-over': pretendToWrite(
    (write, now) => write.data !== null && write.expiresAt <= now,
  ),
  'contract/write/tags-are-compared-exactly': changeWrites((write, row) =>
    write.expect && row?.tag.toLowerCase() === write.expect.toLowerCase()
      ? { ...write, expect: row.tag }
      : write,
  ),
  'contract/write/a-shorter-payload-replaces-a-longer-one': changeWrites((write, row) =>
    write.data === null ? write : { ...write, data: write.data + (row?.data ?? '').slice(write.data.length) },
  ),
  'contract/write/arguments-stay-as-they-are': (driver) => ({
    write(writes, now) {
      for (const write of writes) delete write.expect
      return driver.write(writes, now)
    },
  }),
  'contract/write/leaves-other-rows-alone': (driver) => ({
    async write(writes, now) {
      const keys = await driver.write(writes, now)
      for (const row of await readAll(driver))
        for (const { data, key } of writes)
          if (data === null && row.key.startsWith(key)) await force(driver, { ...row, data: null })
      return keys
    },
  }),
}
