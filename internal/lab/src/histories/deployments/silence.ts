/**
 * Returns for how many seconds a fault kept calls about a session from being answered: the median over
 * the sessions that noticed it. The times are in microseconds.
 * @param sessions when calls about each session ended
 */
export function findSilence(
  sessions: readonly (readonly { at: number; isAnswered: boolean }[])[],
  from: number,
  to: number,
): number {
  const silences = sessions
    .map((ends) => longestGap(ends, from, to))
    .filter((gap) => gap > 0)
    .sort((one, other) => one - other)
  return silences.length === 0 ? 0 : Math.round(silences[silences.length >> 1]! / 10_000) / 100
}

/** Returns the longest time between two answers in which a call failed, near the fault. */
function longestGap(ends: readonly { at: number; isAnswered: boolean }[], from: number, to: number): number {
  let longest = 0
  let last: number | undefined
  let hasFailed = false
  for (const { at, isAnswered } of [...ends].sort((one, other) => one.at - other.at)) {
    if (!isAnswered) hasFailed = true
    else {
      if (hasFailed && last !== undefined && last < to && at > from) longest = Math.max(longest, at - last)
      last = at
      hasFailed = false
    }
  }
  return longest
}
