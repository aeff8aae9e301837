import type { Examination, Inspected } from './examination.ts'

/** How many times the database is asked for the time. */
const PINGS = 5
/** The latency from which on requests become slow, in milliseconds. */
const SLOW = 100
/** How far apart clocks may be, in milliseconds. */
const CLOCK_TOLERANCE = 1000

/** What the pings have shown, in milliseconds. */
export interface Measured {
  latency: number
  /** The clock of the database minus that of this machine. */
  clockOffset?: number
}

/** Measures the latency, and compares the clocks. */
export async function measure(database: Inspected, exam: Examination): Promise<Measured> {
  const pings: { latency: number; offset: number | undefined }[] = []
  for (let i = 0; i < PINGS; i++) {
    const [before, begun] = [Date.now(), performance.now()]
    const time = await database.ping()
    const latency = performance.now() - begun
    pings.push({ latency, offset: time === undefined ? undefined : time - (before + latency / 2) })
  }
  pings.sort((one, other) => one.latency - other.latency)
  const { latency } = pings[Math.floor(PINGS / 2)]!
  exam.check(
    'store/slow',
    latency > SLOW,
    'warning',
    `The database answers after ${Math.round(latency)} ms, and each request waits for one or two answers.`,
    'Run the application and the database in one place, and look for what keeps the database busy.',
  )
  // The fastest answer shows the clock best: it is wrong by half of its latency at most.
  const { latency: fastest, offset } = pings[0]!
  if (offset === undefined) {
    exam.skip(['store/clock'], 'a file has no clock of its own')
    return { latency }
  }
  exam.check(
    'store/clock',
    Math.abs(offset) - fastest / 2 > CLOCK_TOLERANCE,
    'warning',
    `The clock of the database is ${(Math.abs(offset) / 1000).toFixed(1)} s ${offset > 0 ? 'ahead of' : 'behind'} this machine's.`,
    'Let both machines follow a time server.',
  )
  return { latency, clockOffset: Math.round(offset) }
}
