import { availableParallelism } from 'node:os'
import type { Result } from '../engine/judge.ts'
import type { Rule } from '../engine/rule.ts'
import type { Report } from '../report/report.ts'
import type { Job } from './child.ts'
import { Misuse } from './options.ts'
import { checkInProcess, type Ending } from './process.ts'

/** What to check, and how. */
export interface Check extends Omit<Job, 'rules' | 'tries'> {
  rules: readonly Rule[]
  /** Called when the outcome of a rule is known, with the number of known outcomes so far. */
  progress?(result: Result, done: number, total: number): void
}

/** The part of a report that comes from the processes. */
export type Findings = Pick<Report, 'store' | 'versions' | 'results' | 'leaks' | 'stray'>

/**
 * Checks a store in processes of its own. If a process dies or blocks, each rule that was running
 * there runs again in a process of its own, which shows the rule at fault, and the others go on.
 * @throws Misuse if the module cannot be used.
 */
export async function supervise({ rules, progress, ...job }: Check): Promise<Findings> {
  let about: Ending['ready']
  const results = new Map<string, Result>()
  const leaks: Record<string, number> = {}
  const stray: string[] = []

  function settle(result: Result): void {
    results.set(result.id, result)
    progress?.(result, results.size, rules.length)
  }
  async function attempt(chosen: readonly Rule[]): Promise<Ending> {
    const ids = chosen.map(({ id }) => id)
    const ending = await checkInProcess({ ...job, rules: ids, tries: about === undefined }, settle)
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
    let isExplained = false
    await runInParallel(
      todo.filter(({ id }) => running.has(id)),
      async (rule) => {
        const alone = await attempt([rule])
        if (alone.death === undefined) return
        isExplained = true
        settle(toFailure(rule, alone.death, alone.calls))
      },
    )
    if (!isExplained) stray.push(death)
    if (todo.every(({ id }) => !results.has(id))) {
      throw new Misuse(`${job.module} cannot be checked: ${death}`)
    }
  }
  return { ...about!, results: rules.map(({ id }) => results.get(id)!), leaks, stray }
}

/** Makes the result of a rule whose process died. */
function toFailure(
  { id, title, level, why, source }: Rule,
  reason: string,
  trace: readonly string[],
): Result {
  const info = { id, title, level, why, ...(source !== undefined && { source }) }
  return { ...info, outcome: 'failed', reason, trace, took: 0 }
}

async function runInParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}
