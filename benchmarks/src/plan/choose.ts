import type { Job } from '../child/protocol.ts'
import type { Parameters } from '../results/results.ts'
import type { Arguments } from './arguments.ts'
import type { PlannedJob } from './job.ts'

/** Limits a run to some subjects and loads. An omitted field does not limit anything. */
export interface Chosen {
  subjects?: readonly string[] | undefined
  processes?: readonly number[] | undefined
  concurrencies?: readonly number[] | undefined
}

/** What is to be measured. */
export type Planned = Pick<Arguments, 'stores' | 'scenarios' | 'before'> & Chosen

/** Returns the jobs with the chosen subjects and loads. */
export function chooseCells(jobs: readonly PlannedJob[], chosen: Chosen): PlannedJob[] {
  const { subjects } = chosen
  return jobs.flatMap((job) => {
    if (subjects && !subjects.includes(job.entry.id)) return []
    const points = job.points.filter(({ parameters }) => isChosen(parameters, chosen))
    if (points.length === job.points.length) return [job]
    if (points.length === 0) return []
    return [{ ...job, points, make: (place) => ({ ...job.make(place), points }) as Job }]
  })
}

function isChosen(
  { processes, concurrency }: Parameters,
  { processes: counts, concurrencies }: Chosen,
): boolean {
  if (counts && !(processes !== undefined && counts.includes(processes))) return false
  return !concurrencies || concurrencies.includes(concurrency)
}
