/**
 * Returns a generator of numbers from 0 to below 1. Equal seeds give equal numbers (mulberry32).
 */
export function randomFrom(...seeds: readonly number[]): () => number {
  let state = 0
  for (const seed of seeds) state = Math.imul(state ^ seed ^ (state >>> 15), 0x9e3779b1) + 0x6d2b79f5
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
