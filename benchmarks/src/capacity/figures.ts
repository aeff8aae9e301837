import { type DatabaseId, databaseIds } from '@session-stores/testbed/databases'
import { newestRun } from '../results/newest.ts'
import type { Run } from '../results/results.ts'
import { figure } from '../results/summary.ts'

/** What a database was measured to need. */
export interface Figures {
  /** CPU microseconds of a request that looks its session up and touches it. */
  cpuApp: number
  cpuServer: number
  /** Bytes of a stored session: `fixed` and `each` for every byte of its payload. */
  fixed: number
  each: number
}

/** Many requests at once, as in a process that is busy but not full. */
const CONCURRENCY = 32

/** Returns the figures of this project's stores in the newest committed runs. */
export function readFigures(): Record<DatabaseId, Figures> {
  const { run } = newestRun()
  const sized = run.storage ? run : newestRun('storage').run
  return Object.fromEntries(databaseIds.map((id) => [id, figuresOf(id, run, sized)])) as Record<
    DatabaseId,
    Figures
  >
}

function figuresOf(id: DatabaseId, run: Run, sized: Run): Figures {
  const subject = `ours-${id}`
  const cell = run.cells.find(
    (one) =>
      one.subject === subject &&
      one.scenario === 'request' &&
      one.parameters.concurrency === CONCURRENCY &&
      one.operation === 'lookup-touch',
  )
  const sizes = (sized.storage ?? [])
    .filter((one) => one.subject === subject)
    .map(({ payload, data, indexes }) => ({ payload, bytes: data + (indexes ?? 0) }))
    .sort((a, b) => a.payload - b.payload)
  const [small, large] = [sizes[0], sizes.at(-1)]
  if (!cell || !small || !large || small === large) throw new Error(`the runs lack figures of ${subject}`)
  const each = (large.bytes - small.bytes) / (large.payload - small.payload)
  return {
    cpuApp: figure(cell, 'cpuApp')?.median ?? 0,
    cpuServer: figure(cell, 'cpuServer')?.median ?? 0,
    fixed: small.bytes - each * small.payload,
    each,
  }
}
