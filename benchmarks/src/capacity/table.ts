import { databaseIds, databases } from '@session-stores/testbed/databases'
import { number } from '../report/html.ts'
import { computeNeeds, type Load } from './capacity.ts'
import type { Figures } from './figures.ts'

const size = (bytes: number): string =>
  bytes >= 1e12 ? `${number(bytes / 1e12)} TB` : `${number(bytes / 1e9)} GB`

/** Renders what each database needs for a load, as Markdown. */
export function renderCapacity(load: Load, figures: Readonly<Record<string, Figures>>): string {
  const rows = databaseIds.map((id) => {
    const needs = computeNeeds(id, load, figures[id]!)
    const { bytes, memory, operations, coresServer, coresApp, nodes, first } = needs
    const server = id === 'sqlite' ? 'none' : number(coresServer)
    return [
      ...[databases[id].name, size(bytes), size(memory), number(Math.round(operations)), server],
      ...[number(coresApp), id === 'sqlite' && nodes > 1 ? 'too many for it' : `${nodes}`, first],
    ]
  })
  const head = ['', 'stored', 'memory', 'operations a second', 'cores of the database', 'of the stores']
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const all = [...head, 'nodes', 'exhausted first on one node']
  return [line(all), `|${all.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

/** The loads of the worked examples, by the mark that stands before and after each in the page. */
const examples: Readonly<Record<string, Load>> = {
  '10 million': { sessions: 10_000_000, requests: 10_000, payload: 1000, lifetime: 14 * 86_400 },
  '1 billion': { sessions: 1_000_000_000, requests: 500_000, payload: 1000, lifetime: 30 * 86_400 },
}

/**
 * Returns the page with the tables of its examples replaced.
 * @throws Error if the page lacks the marks of an example
 */
export function withCapacity(page: string, figures: Readonly<Record<string, Figures>>): string {
  return Object.entries(examples).reduce((text, [name, load]) => {
    const [begin, end] = [`<!-- capacity: ${name} -->`, `<!-- /capacity: ${name} -->`]
    const [from, to] = [text.indexOf(begin), text.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`the page lacks ${begin} or ${end}`)
    return `${text.slice(0, from + begin.length)}\n${renderCapacity(load, figures)}\n${text.slice(to)}`
  }, page)
}
