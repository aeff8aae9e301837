import { databaseIds } from '@session-stores/testbed/databases'
import type { Cell, Run } from '../results/results.ts'
import { counterpart, figure } from '../results/summary.ts'
import { type Pair, pairs, thousands } from './chart.ts'
import { findPair } from './choice.ts'
import { number } from './html.ts'
import { key } from './key.ts'
import { busiest, databaseNames, nameOf, rate, subjectOf } from './labels.ts'
import { figureOf } from './section.ts'

/**
 * Renders the chart of the first screen as HTML: for each database, the requests a second over HTTP
 * with our store and with the usual package. Without figures over HTTP, it shows lookup and touch.
 */
export async function renderOverview(run: Run): Promise<string> {
  const http = busiest(run, 'http', 'http')
  const cells = http.length > 0 ? http : busiest(run, 'request', 'lookup-touch')
  const found = databaseIds.flatMap((id) => {
    const pair = findPair(run, id)
    const ours = pair && cells.find(({ subject }) => subject === pair.ours.id)
    const peer = ours && counterpart(run, ours, pair.peer.id)
    return ours ? [{ title: databaseNames[id], ours, peer }] : []
  })
  found.sort((a, b) => rate(b.ours) - rate(a.ours))
  const ceiling = cells.find(({ subject }) => subjectOf(run, subject).role === 'ceiling')
  const rows: Pair[] = [
    ...found.map(({ title, ours, peer }) => ({
      title,
      dots: [dotOf(run, ours, 'ours'), peer ? dotOf(run, peer, 'peer') : []].flat(),
    })),
    ...(ceiling ? [{ title: 'no database', dots: dotOf(run, ceiling, 'ceiling') }] : []),
  ].filter(({ dots }) => dots.length > 0)
  if (rows.length === 0) return ''
  const where = http.length > 0 ? 'over HTTP' : 'lookup and touch'
  const keys = [
    key('ours', 'ours'),
    key('peer', 'the usual package'),
    ceiling ? key('ceiling', 'MemoryStore') : '',
  ]
  return figureOf(
    `Requests a second, ${where}`,
    await pairs(rows, thousands, number),
    `<span class="keys">${keys.join(' ')}</span>`,
  )
}

function dotOf(run: Run, cell: Cell, role: 'ours' | 'peer' | 'ceiling'): Pair['dots'] {
  const value = figure(cell, 'opsPerSecond')
  const label = nameOf(subjectOf(run, cell.subject))
  return value ? [{ label, role, value: value.median, low: value.low, high: value.high }] : []
}
