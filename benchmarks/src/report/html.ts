/** Escapes text for HTML. */
export const html = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

export interface Table {
  head: readonly string[]
  /** The cells as HTML. */
  rows: readonly (readonly string[])[]
}

/**
 * Renders a table that scrolls separately on narrow screens. The first `words` columns contain
 * text, the others figures.
 */
export function table({ head, rows }: Table, words: number): string {
  const row = (tag: 'th' | 'td', cells: readonly string[]): string =>
    `<tr>${cells.map((cell, i) => `<${tag}${i < words ? '' : ' class="n"'}>${cell}</${tag}>`).join('')}</tr>`
  const body = rows.map((cells) => row('td', cells)).join('\n')
  return `<div class="scroll" tabindex="0"><table><thead>${row('th', head.map(html))}</thead><tbody>\n${body}\n</tbody></table></div>`
}

export const list = (items: readonly string[]): string =>
  `<ul>${items.map((item) => `<li>${item}</li>`).join('\n')}</ul>`

/** Formats a number with three digits, or all digits of an integer part. */
export function number(value: number | undefined): string {
  if (value === undefined) return ''
  const size = Math.abs(value)
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}

/** Joins items like `1st, 2nd and 3rd`. */
export function enumeration(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}
