const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

/**
 * Says how far a time is from now, as "2 minutes ago" or "in 7 days". The server uses this function
 * too, so that pages read the same without scripts.
 */
export function formatRelativeTime(time, now = Date.now()) {
  const distance = time - now
  for (const [unit, length] of UNITS)
    if (Math.abs(distance) >= length)
      // A wait is rounded up, so that nobody is told to come back too early. An age is rounded down.
      return format.format(
        distance > 0 ? Math.ceil(distance / length) : -Math.floor(-distance / length),
        unit,
      )
  if (distance > 0) return format.format(Math.ceil(distance / 1000), 'second')
  return 'just now'
}

const format = new Intl.RelativeTimeFormat('en', { numeric: 'always' })
