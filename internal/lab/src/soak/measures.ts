/** What a soak measures at each sample. A measure must not grow with the number of requests. */
export interface Measure {
  readonly name: string
  /** What the measure is, in the words of docs/reliability.md. */
  readonly title: string
  readonly unit: 'bytes' | ''
  /**
   * The slope per million requests up to which a measure counts as level, whatever its interval says.
   * An engine and a database move by this much in an hour of constant work.
   */
  readonly tolerance: number
  /** Whether the measure settles only when the first rows have been removed. */
  readonly needsRows?: true
}

const KILOBYTE = 1000
const MEGABYTE = 1_000_000

/** The measures of the application's process. */
const OF_PROCESS: readonly Measure[] = [
  { name: 'heap', title: 'heap after a full collection', unit: 'bytes', tolerance: 100 * KILOBYTE },
  { name: 'rss', title: 'resident memory', unit: 'bytes', tolerance: 2 * MEGABYTE },
  { name: 'external', title: 'external memory and array buffers', unit: 'bytes', tolerance: 50 * KILOBYTE },
  { name: 'handles', title: 'active handles and requests', unit: '', tolerance: 0.5 },
  { name: 'timers', title: 'active timers', unit: '', tolerance: 0.5 },
  { name: 'timerObjects', title: 'timer objects in the heap', unit: '', tolerance: 0.5 },
  { name: 'listeners', title: 'listeners of all event emitters', unit: '', tolerance: 2 },
  { name: 'entries', title: 'entries of all maps and sets', unit: '', tolerance: 10 },
  { name: 'files', title: 'file descriptors', unit: '', tolerance: 0.5 },
]

/** The measures of the database. */
const OF_DATABASE: readonly Measure[] = [
  { name: 'rows', title: 'rows or keys', unit: '', tolerance: 100, needsRows: true },
  { name: 'table', title: 'table, or memory of Redis', unit: 'bytes', tolerance: MEGABYTE, needsRows: true },
  { name: 'indexes', title: 'indexes', unit: 'bytes', tolerance: MEGABYTE, needsRows: true },
  { name: 'objects', title: 'tables, indexes and scripts', unit: '', tolerance: 0.1 },
  { name: 'log', title: 'write-ahead log', unit: 'bytes', tolerance: 20 * MEGABYTE, needsRows: true },
  { name: 'connections', title: 'connections at the server', unit: '', tolerance: 0.5 },
  { name: 'serverFiles', title: 'file descriptors of the server', unit: '', tolerance: 1 },
]

export const measures: readonly Measure[] = [...OF_PROCESS, ...OF_DATABASE]
