/**
 * Returns the name that a mistyped name stands for, or `undefined` where none is near: the same
 * letters in another case, or a typing error in every three letters.
 */
export function closest(name: string, names: readonly string[]): string | undefined {
  const mistakes = (other: string) => distance(name.toLowerCase(), other.toLowerCase())
  const near = names
    .map((other) => ({ other, count: mistakes(other) }))
    .filter(({ other, count }) => count <= Math.floor(Math.min(name.length, other.length) / 3))
  return near.sort((a, b) => a.count - b.count)[0]?.other
}

/**
 * Returns how many letters must be added, left out, replaced or swapped with the next one to turn
 * one word into the other (the Damerau-Levenshtein distance of optimal string alignment).
 */
function distance(from: string, to: string): number {
  // A name from JSON may have any length.
  if (Math.abs(from.length - to.length) > to.length) return Number.POSITIVE_INFINITY
  let [before, last] = [[] as number[], Array.from({ length: to.length + 1 }, (_, i) => i)]
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1]
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (isSame ? 0 : 1))
      const isSwapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      if (isSwapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    ;[before, last] = [last, row]
  }
  return last[to.length]!
}
