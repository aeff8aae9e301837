import { HOUR } from '../../../src/common.ts'
import {
  changeLanded,
  isConditionalTombstone,
  isCreate,
  isExtending,
  isUpdate,
  landOverAnother,
  type Mutant,
  writeAgain,
} from './helpers.ts'

export const sentTwice: Readonly<Record<string, Mutant>> = {
  'contract/sent-twice/create-sent-twice-changes-nothing': changeLanded((write, before, now) =>
    before?.tag === write.tag && isCreate(write) ? { createdAt: now } : {},
  ),
  'contract/sent-twice/update-sent-twice-changes-nothing': changeLanded((write, before) =>
    before?.tag === write.tag && isUpdate(write) ? { createdAt: write.createdAt } : {},
  ),
  'contract/sent-twice/extending-update-sent-twice-changes-nothing': changeLanded((write, before) =>
    before?.tag === write.tag && isExtending(write) ? { createdAt: write.createdAt } : {},
  ),
  'contract/sent-twice/tombstone-sent-twice-changes-nothing': changeLanded((write, before, now) =>
    before?.tag === write.tag && write.expect === undefined ? { expiresAt: now + HOUR } : {},
  ),
  'contract/sent-twice/conditional-tombstone-sent-twice-changes-nothing': changeLanded(
    (write, before, now) =>
      before?.tag === write.tag && isConditionalTombstone(write) ? { expiresAt: now + HOUR } : {},
  ),
  'contract/sent-twice/create-sent-twice-leaves-a-touched-deadline': writeAgain(isCreate),
  'contract/sent-twice/update-sent-twice-leaves-a-touched-deadline': changeLanded((write, before) =>
    before?.tag === write.tag && isUpdate(write) ? { expiresAt: write.expiresAt } : {},
  ),
  'contract/sent-twice/extending-update-sent-twice-leaves-a-touched-deadline': changeLanded(
    (write, before) =>
      before?.tag === write.tag && isExtending(write)
        ? { expiresAt: Math.max(before.expiresAt, write.expiresAt) }
        : {},
  ),
  'contract/sent-twice/create-sent-twice-leaves-what-another-wrote': landOverAnother(isCreate),
  'contract/sent-twice/update-sent-twice-leaves-what-another-wrote': landOverAnother(isUpdate),
  'contract/sent-twice/extending-update-sent-twice-leaves-what-another-wrote': landOverAnother(isExtending),
  'contract/sent-twice/conditional-tombstone-sent-twice-leaves-what-another-wrote':
    landOverAnother(isConditionalTombstone),
}
