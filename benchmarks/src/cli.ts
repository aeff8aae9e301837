import { ArgumentError, type Arguments, readArguments, USAGE } from './plan/arguments.ts'
import { describePlan } from './plan/estimate.ts'
import { scenariosOf } from './plan/job.ts'
import { plan } from './plan/plan.ts'
import { full, quick } from './plan/scale.ts'
import { scenarios } from './plan/scenarios.ts'
import { renderMarkdown } from './report/markdown.ts'
import { renderPage } from './report/render.ts'
import { findMissedTokenAims } from './report/tokens.ts'
import { Output } from './results/output.ts'
import type { Run } from './results/results.ts'
import { readCommit, readEnvironment } from './run/environment.ts'
import { TerminalProgress } from './run/progress.ts'
import { Recorder } from './run/recorder.ts'
import { Runner } from './run/run.ts'
import { infoOf } from './subjects/catalogue.ts'

async function main(args: Arguments): Promise<void> {
  const scale = args.quick ? quick : full
  const rounds = args.rounds ?? scale.rounds
  const jobs = plan(args, { ...scale, rounds })
  const names = new Set(jobs.flatMap(scenariosOf))
  if (args.help || args.plan) return console.log(args.help ? USAGE : describePlan(jobs, rounds))
  const started = new Date().toISOString()
  const output = new Output(args.out, started)
  const run: Run = {
    ...{ schema: 1, started, ended: started, command: commandOf(args), commit: readCommit() },
    ...{ complete: false, reason: 'it was ended from outside', quick: args.quick, rounds, roundsDone: 0 },
    environment: readEnvironment(),
    servers: [],
    subjects: [...new Set(jobs.map(({ entry }) => entry))].map(infoOf),
    scenarios: scenarios.filter(({ name }) => names.has(name)),
    ...{ cells: [], expiry: [], reclaim: [], missing: [] },
  }
  const recorder = new Recorder(run, (current) => void output.json(current))
  const progress = new TerminalProgress(jobs, rounds)
  const interrupted = new AbortController()
  const interrupt = (signal: NodeJS.Signals) => interrupted.abort(`it was interrupted (${signal})`)
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  const runner = new Runner(recorder, progress, interrupted.signal)
  try {
    await runner.all(jobs, rounds)
    recorder.end()
  } catch (error) {
    recorder.end(error instanceof Error ? error.message : String(error))
    process.exitCode = interrupted.signal.aborted ? 130 : 1
  } finally {
    progress.clear()
    await runner.stop()
  }
  const text = renderMarkdown(run)
  console.log(text)
  const files = [output.json(run), output.write('md', text), output.write('html', await renderPage(run))]
  console.log(files.join('\n'))
  const faults = faultsOf(run)
  if (faults.length > 0) {
    console.error(`Our own stores failed:\n${faults.join('\n')}`)
    process.exitCode ||= 1
  }
}

/**
 * Lists the failures of this project's stores, and the aims that access tokens miss. Failures of
 * other packages are results, not errors.
 */
function faultsOf(run: Run): string[] {
  const { subjects, cells, missing } = run
  const ours = new Set(subjects.filter(({ role }) => role === 'ours').map(({ id }) => id))
  return [
    ...findMissedTokenAims(run),
    ...missing
      .filter(({ subject }) => ours.has(subject))
      .map(({ subject, reason }) => `${subject}: ${reason}`),
    ...cells
      .filter(({ subject }) => ours.has(subject))
      .flatMap(({ subject, operation, rounds }) =>
        rounds.flatMap(({ failure }) => (failure ? [`${subject}, ${operation}: ${failure}`] : [])),
      ),
  ]
}

/** Returns the command without its output folder, which does not affect the results. */
function commandOf(args: Arguments): string {
  const { quick: isQuick, stores, scenarios: chosen, rounds } = args
  const limits = (option: string, values: readonly (string | number)[] = []) =>
    values.map((value) => `${option} ${value}`)
  const all = readArguments([])
  const named = (option: string, names: readonly string[], most: number) =>
    names.length === most ? [] : names.map((name) => `${option} ${name}`)
  return [
    'npx -y pnpm@12 bench',
    ...(isQuick ? ['--quick'] : []),
    ...named('--store', stores, all.stores.length),
    ...named('--scenario', chosen, all.scenarios.length),
    ...limits('--subject', args.subjects),
    ...limits('--processes', args.processes),
    ...limits('--concurrency', args.concurrencies),
    ...(args.before === undefined ? [] : ['--before FOLDER']),
    ...(rounds === undefined ? [] : [`--rounds ${rounds}`]),
  ].join(' ')
}

try {
  await main(readArguments(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof ArgumentError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
}
