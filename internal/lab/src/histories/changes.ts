import type { Change } from './protocol.ts'

/** Returns what one change after the other changes. */
export function combine(first: Change, second: Change): Change {
  const kept = Object.entries(first.set).filter(([key]) => !second.remove.includes(key))
  return {
    set: { ...Object.fromEntries(kept), ...second.set },
    remove: [...first.remove.filter((key) => !(key in second.set)), ...second.remove],
  }
}
