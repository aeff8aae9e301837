import { changeWrites, isConditionalTombstone, type Mutant, pretendToWrite } from './helpers.ts'

export const tombstone: Readonly<Record<string, Mutant>> = {
  'contract/tombstone/is-stored-whole': changeWrites((write) =>
    write.data === null ? { ...write, user: null } : write,
  ),
  'contract/tombstone/without-time-ends-the-session': pretendToWrite(
    (write, now) => write.data === null && write.expiresAt <= now,
  ),
  'contract/tombstone/ends-with-its-deadline': changeWrites((write, _, now) =>
    write.data === null && write.expiresAt > now ? { ...write, expiresAt: 8.64e15 } : write,
  ),
  'contract/tombstone/is-final': pretendToWrite((write) => isConditionalTombstone(write)),
  'contract/tombstone/conditional-tombstone-without-time-ends-its-version-only': changeWrites(
    (write, _, now) =>
      isConditionalTombstone(write) && write.expiresAt <= now ? { ...write, expect: undefined } : write,
  ),
}
