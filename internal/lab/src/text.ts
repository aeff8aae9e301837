/** Returns a number with separators of thousands. */
export const count = (number: number): string => number.toLocaleString('en')

/** Returns a duration in the unit that fits it. */
export function duration(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds)} s`
  const minutes = seconds / 60
  return minutes < 100 ? `${Math.round(minutes)} minutes` : `${(minutes / 60).toFixed(1)} hours`
}

/** Returns a Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Returns an amount with three digits, and bytes in the unit that fits them. */
export function amount(value: number, unit: 'bytes' | ''): string {
  const size = Math.abs(value)
  if (unit === 'bytes') {
    if (size >= 999_500) return `${digits(value / 1e6)} MB`
    if (size >= 999.5) return `${digits(value / 1e3)} kB`
    return `${digits(value)} B`
  }
  return digits(value)
}

function digits(value: number): string {
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(2))
  const shown = Math.round(rounded * 1000) / 1000
  // A negative zero would be a surprise.
  return (shown === 0 ? 0 : shown).toLocaleString('en')
}
