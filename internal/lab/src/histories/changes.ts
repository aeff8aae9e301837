import type { Change } from './protocol.ts'

/** Returns what one change after the other changes. */
function combine(first: Change, second: Change): Change {
  const kept = Object.entries(first.set).filter(([key]) => !second.remove.includes(key))
  return {
    set: { ...Object.fromEntries(kept), ...second.set },
    remove: [...first.remove.filter((key) => !(key in second.set)), ...second.remove],
  }
}

/**
 * Returns what a save may change whose session has unanswered saves before it: its own change alone if
 * the one before has landed, and so on, up to all of them. A key that was never in what the database
 * holds is not removed there: the session as it was read has no such key, and neither has it now.
 *
 * @param keys the keys of the session when it was read, or saved with an answer
 */
export function variantsOf(changes: readonly Change[], keys: ReadonlySet<string>): Change[] {
  return changes
    .map((_, first) => {
      const landed = new Set(keys)
      for (const { set, remove } of changes.slice(0, first)) {
        for (const key of Object.keys(set)) landed.add(key)
        for (const key of remove) landed.delete(key)
      }
      const { set, remove } = changes.slice(first).reduce(combine)
      return { set, remove: remove.filter((key) => landed.has(key)) }
    })
    .reverse()
}
