import type { Run } from '../results/results.ts'
import { html, number, table } from './html.ts'
import { inOrder, nameOf, subjectOf } from './labels.ts'

/** Renders how exact deadlines are, as HTML. */
export function renderExpiry(run: Run): string {
  if (run.expiry.length === 0) return ''
  const rows = [...Map.groupBy(run.expiry.toSorted(inOrder(run)), ({ subject }) => subject)].map(
    ([id, rounds]) => {
      const late = rounds.flatMap((round) => round.late).sort((a, b) => a - b)
      const early = rounds.flatMap((round) => round.early)
      const at = (share: number): string =>
        number(late[Math.min(Math.floor(late.length * share), late.length - 1)])
      return [
        html(nameOf(subjectOf(run, id))),
        ...[at(0.5), at(0.99), at(1)],
        early.length === 0
          ? 'none'
          : `${early.length} of ${late.length}, by up to ${number(Math.max(...early))} ms`,
      ]
    },
  )
  const head = [
    'store',
    'readable after the deadline, p50 ms',
    'p99 ms',
    'at most ms',
    'gone before the deadline',
  ]
  return table(head, [{ rows }], 1)
}

/** Renders how long expired sessions use storage, as HTML. */
export function renderReclaim(run: Run): string {
  if (run.reclaim.length === 0) return ''
  const rows = run.reclaim.toSorted(inOrder(run)).map(({ subject, sessions, half, all, watched }) => {
    const after = (ms: number | null): string =>
      ms === null ? `not within ${number(watched / 1000)} s` : `${number(ms / 1000)} s`
    return [html(nameOf(subjectOf(run, subject))), number(sessions), after(half), after(all)]
  })
  const head = ['store', 'expired at once', 'half gone after', 'all gone after']
  return table(head, [{ rows }], 1)
}
