import { isLive, landed, type Mutant, replacing, writing } from './helpers.ts'

export const extend: Readonly<Record<string, Mutant>> = {
  'contract/extend/keeps-a-later-deadline': writing((write) => ({ ...write, extend: false })),
  'contract/extend/moves-the-deadline-later': replacing((write, row) =>
    write.extend && row.data !== null && write.data !== null ? { expiresAt: row.expiresAt } : {},
  ),
  'contract/extend/is-decided-as-every-write': writing((write, row, now) =>
    write.extend && isLive(row, now) ? { ...write, expect: row!.tag } : write,
  ),
  'contract/extend/over-a-tombstone-inherits-nothing': replacing((write, row) =>
    write.extend && row.data === null ? { expiresAt: Math.max(row.expiresAt, write.expiresAt) } : {},
  ),
  'contract/extend/over-an-expired-row-inherits-nothing': landed((write, before) =>
    write.extend && before?.tag !== write.tag ? { createdAt: before?.createdAt ?? write.createdAt } : {},
  ),
  'contract/extend/keeps-nothing-for-a-tombstone': replacing((write, row) =>
    write.extend && write.data === null ? { expiresAt: Math.max(row.expiresAt, write.expiresAt) } : {},
  ),
}
