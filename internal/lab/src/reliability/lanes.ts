/** Does each piece of work in one of several lanes, which take the next piece as soon as they are free. */
export async function inLanes<T, R>(
  pieces: readonly T[],
  lanes: number,
  work: (piece: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const run = async (): Promise<void> => {
    while (next < pieces.length) {
      const index = next++
      results[index] = await work(pieces[index]!)
    }
  }
  await Promise.all(Array.from({ length: lanes }, run))
  return results
}
