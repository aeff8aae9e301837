import { changeLanded, changeReplaced, changeWrites, isLive, type Mutant } from './helpers.ts'

export const extend: Readonly<Record<string, Mutant>> = {
  'contract/extend/keeps-a-later-deadline': changeWrites((write) => ({ ...write, extend: false })),
  'contract/extend/moves-the-deadline-later': changeReplaced((write, row) =>
    write.extend && row.data !== null && write.data !== null ? { expiresAt: row.expiresAt } : {},
  ),
  'contract/extend/is-decided-as-every-write': changeWrites((write, row, now) =>
    write.extend && isLive(row, now) ? { ...write, expect: row!.tag } : write,
  ),
  'contract/extend/over-a-tombstone-inherits-nothing': changeReplaced((write, row) =>
    write.extend && row.data === null ? { expiresAt: Math.max(row.expiresAt, write.expiresAt) } : {},
  ),
  'contract/extend/over-an-expired-row-inherits-nothing': changeLanded((write, before) =>
    write.extend && before?.tag !== write.tag ? { createdAt: before?.createdAt ?? write.createdAt } : {},
  ),
  'contract/extend/keeps-nothing-for-a-tombstone': changeReplaced((write, row) =>
    write.extend && write.data === null ? { expiresAt: Math.max(row.expiresAt, write.expiresAt) } : {},
  ),
}
