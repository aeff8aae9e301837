import type { Entry } from '../subjects/catalogue.ts'
import { measuringOf, type PlannedJob, scenariosOf } from './job.ts'

/**
 * Milliseconds that a job takes besides its measurements, as runs of the full scale took them: to start
 * its process, to store a session, and to start and warm up the processes of a fleet.
 */
const START = 400
const SESSION = { ours: 0.04, peer: 0.12 }
const EXPIRY = 3000
const HELPER = 150
/** What a measurement takes besides its own time: the warm-up of its kind, and questions to the server. */
const POINT = 40

/** Returns the milliseconds that it takes to store a session. */
export const sessionTime = ({ role }: Entry): number => (role === 'peer' ? SESSION.peer : SESSION.ours)

/** Returns the milliseconds that a job takes in a round. */
export function estimateJob(job: PlannedJob): number {
  const { points, passes, entry } = job
  const parameters = points.map((point) => point.parameters)
  const stored = job.stays ? 0 : (parameters[0]?.stored ?? 0)
  const processes = Math.max(0, ...parameters.map((one) => one.processes ?? 0))
  const extra = job.scenario === 'expiry' ? EXPIRY : 0
  return (
    START +
    job.preparing +
    stored * sessionTime(entry) +
    processes * HELPER +
    measuringOf(job) +
    points.length * passes * POINT +
    extra
  )
}

/** Returns the milliseconds of a whole run by scenario, the longest first. */
function estimateRun(jobs: readonly PlannedJob[], rounds: number): [scenario: string, time: number][] {
  const times = new Map<string, number>()
  const add = (name: string, time: number) => times.set(name, (times.get(name) ?? 0) + time)
  for (const job of jobs) {
    const names = scenariosOf(job)
    const once = job.stays ? fillOnce(job) : 0
    const time = estimateJob(job) * Math.min(job.rounds, rounds) + once
    for (const name of names) add(name, time / names.length)
  }
  return [...times].filter(([, time]) => time > 0).sort(([, a], [, b]) => b - a)
}

/** Sessions that stay for the whole run are stored once. */
function fillOnce({ entry, points }: PlannedJob): number {
  return points[0]!.parameters.stored * sessionTime(entry)
}

/** Describes what a run would measure and how long it would take. */
export function describePlan(jobs: readonly PlannedJob[], rounds: number): string {
  const times = estimateRun(jobs, rounds)
  const minutes = (time: number): string => `${(time / 60_000).toFixed(1).padStart(6)} min`
  const cells = jobs.reduce((sum, { points }) => sum + points.length, 0)
  const total = times.reduce((sum, [, time]) => sum + time, 0)
  return [
    ...times.map(([name, time]) => `${name.padEnd(12)}${minutes(time)}`),
    `${'together'.padEnd(12)}${minutes(total)}: ${cells} cells, ${rounds} rounds, on two cores without other load`,
  ].join('\n')
}
