import { type Drawn, roles } from './chart.ts'
import { html } from './html.ts'

/** The shapes of the charts as SVG paths. */
const paths: Record<Drawn, string> = {
  ours: 'M6 1a5 5 0 1 0 .01 0z',
  peer: 'M1.5 1.5h9v9h-9z',
  floor: 'M4 1h4v3h3v4H8v3H4V8H1V4h3z',
  ceiling: 'M6 1l5 9.5H1z',
}

const meanings: Record<Drawn, string> = {
  ours: 'a store of this project',
  peer: 'another package',
  floor: 'the client of the database alone, without a store',
  ceiling: "express-session's MemoryStore, without a database",
}

/** Renders the meaning of a shape, as HTML. */
export const key = (role: Drawn, text: string): string =>
  `<span class="key"><svg viewBox="0 0 12 12" aria-hidden="true"><path d="${paths[role]}" fill="var(--${role})"/></svg>${html(text)}</span>`

/** Renders the meanings of these shapes, or of all, as HTML. */
export const legend = (shown: readonly Drawn[] = roles): string => {
  const keys = roles.filter((role) => shown.includes(role)).map((role) => key(role, meanings[role]))
  return `<span class="keys">${keys.join(' ')}</span>`
}
