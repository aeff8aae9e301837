/** Escapes text for HTML. */
export const html = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Rows of a table that belong together, with a heading of their own if they have a title. */
export interface RowGroup {
  title?: string
  /** The cells as HTML. */
  rows: readonly (readonly string[])[]
}

/**
 * Renders a table that scrolls separately on narrow screens, where the first column stays in view.
 * The first `words` columns contain text, the others figures.
 */
export function table(head: readonly string[], groups: readonly RowGroup[], words: number): string {
  const kind = (index: number): string => (index < words ? '' : ' class="n"')
  const bodies = groups.map(({ title, rows }) => {
    const heading =
      title === undefined
        ? ''
        : `<tr><th class="group" colspan="${head.length}" scope="colgroup">${html(title)}</th></tr>\n`
    const lines = rows.map(
      (cells) => `<tr>${cells.map((cell, index) => `<td${kind(index)}>${cell}</td>`).join('')}</tr>`,
    )
    return `<tbody>\n${heading}${lines.join('\n')}\n</tbody>`
  })
  const titles = head.map((text, index) => `<th scope="col"${kind(index)}>${html(text)}</th>`).join('')
  return `<div class="scroll" tabindex="0"><table><thead><tr>${titles}</tr></thead>${bodies.join('\n')}</table></div>`
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
