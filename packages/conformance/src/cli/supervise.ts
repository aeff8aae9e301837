import { availableParallelism } from 'node:os'
import type { Result } from '../engine/judge.ts'
import type { Rule } from '../engine/rule.ts'
import type { Report } from '../report/report.ts'
import type { Job } from './child.ts'
import { Misuse } from './options.ts'
import { checkIn, type Ending } from './process.ts'

export interface Check extends Omit<Job, 'rules'> {
  rules: readonly Rule[]
  progress?(result: Result, done: number, total: number): void
}

export type Checked = Pick<Report, 'store' | 'versions' | 'results' | 'leaks' | 'stray'>

/**
 * Checks a store in processes of its own. Where one dies or blocks, the rules that it was at run again, each in a
 * process by itself: that shows whose fault it was, and the others go on. Rejects with `Misuse` where the module
 * is of no use.
 */
export async function supervise({ rules, progress, ...job }: Check): Promise<Checked> {
  let about: Ending['ready']
  const results = new Map<string, Result>()
  const leaks: Record<string, number> = {}
  const stray: string[] = []

  function done(result: Result): void {
    results.set(result.id, result)
    progress?.(result, results.size, rules.length)
  }
  async function attempt(chosen: readonly Rule[]): Promise<Ending> {
    const ending = await checkIn({ ...job, rules: chosen.map(({ id }) => id) }, done)
    if (ending.unusable !== undefined) throw new Misuse(ending.unusable)
    if (!ending.ready) throw new Misuse(`${job.module} cannot be loaded: ${ending.death}`)
    about = ending.ready
    for (const [name, number] of Object.entries(ending.leaks)) leaks[name] = (leaks[name] ?? 0) + number
    stray.push(...ending.stray)
    return ending
  }

  for (let todo = rules; todo.length > 0; todo = rules.filter(({ id }) => !results.has(id))) {
    const { death, running } = await attempt(todo)
    if (death === undefined) continue
    let guilty = false
    await inParallel(
      todo.filter(({ id }) => running.has(id)),
      async (rule) => {
        const alone = await attempt([rule])
        if (alone.death === undefined) return
        guilty = true
        done(failed(rule, alone.death, alone.calls))
      },
    )
    if (!guilty) stray.push(death)
    if (todo.every(({ id }) => !results.has(id))) {
      throw new Misuse(`${job.module} cannot be checked: ${death}`)
    }
  }
  return { ...about!, results: rules.map(({ id }) => results.get(id)!), leaks, stray }
}

/** A rule whose process died. */
function failed({ id, title, level, why, source }: Rule, reason: string, trace: readonly string[]): Result {
  const info = { id, title, level, why, ...(source !== undefined && { source }) }
  return { ...info, outcome: 'failed', reason, trace, took: 0 }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}
