import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { databaseIds } from '@session-stores/testbed/databases'
import type { Database, ScenarioName } from '../results/results.ts'
import { catalogue } from '../subjects/catalogue.ts'
import { scenarios } from './scenarios.ts'

export interface Arguments {
  quick: boolean
  stores: Database[]
  scenarios: ScenarioName[]
  /** @default the rounds of the scale */
  rounds?: number
  /** Limits, see `Chosen`. */
  subjects?: string[]
  processes?: number[]
  concurrencies?: number[]
  /** The folder of another checkout, with whose stores ours are compared. */
  before?: string
  out: string
  /** Whether only the usage, or the plan with its time, is printed. */
  help: boolean
  plan: boolean
}

const STORES: readonly Database[] = [...databaseIds, 'memory', 'files']
const SUBJECTS = catalogue.map(({ id }) => id)
const SCENARIOS = scenarios.map(({ name }) => name)
const OUT = 'reports'
const MOST_ROUNDS = 1000

export const USAGE: string = `Usage: bench [--quick] [--store NAME]... [--scenario NAME]... [--rounds N] [--out FOLDER]
             [--plan] [--help] [--subject ID]... [--processes N]... [--concurrency N]...
             [--before FOLDER]
  --quick        a small run, to see that everything works; it takes about five minutes
  --store        ${STORES.join(', ')}; all by default
  --scenario     all by default, or some of:
                 ${wrapNames(SCENARIOS, 17)}
  --rounds       6 by default, 1 with --quick; below 6 no difference can be told from chance
  --out          where the results go; '${OUT}' by default
  --plan         only prints what would be measured and how long it would take
  --help         prints this text

To measure a few cells while developing:
  --subject      only this store, by its id in src/subjects/catalogue.ts, and no control
  --processes    only cells of the scenario fleet with this number of processes
  --concurrency  only cells with this number of operations at once
  --before       only our stores, and beside them those of another checkout of this repository,
                 in which 'npx -y pnpm@12 build' has run
Such as: bench --scenario fleet --store redis --subject ours-redis --subject connect-redis
         --processes 8 --concurrency 1 --concurrency 4 --rounds 3 takes a minute`

/** Joins names in lines of at most 80 characters after this many spaces. */
function wrapNames(names: readonly string[], indent: number): string {
  const lines: string[] = ['']
  for (const name of names) {
    if (lines.at(-1)!.length + name.length + 2 > 80 - indent) lines.push('')
    lines[lines.length - 1] += `${name}, `
  }
  return lines
    .map((line) => line.trim())
    .join(`\n${' '.repeat(indent)}`)
    .replace(/,$/, '')
}

/** An invalid argument. The message says what to write instead. */
export class ArgumentError extends Error {}

/**
 * Parses the command line.
 * @throws ArgumentError
 */
export function readArguments(args: readonly string[]): Arguments {
  const values = parse(args)
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1 && rounds <= MOST_ROUNDS))
    throw new ArgumentError(
      `--rounds takes a whole number from 1 to ${MOST_ROUNDS}, such as --rounds 10, not '${values.rounds}'`,
    )
  if (values.out === '') throw new ArgumentError('--out takes a folder, such as --out reports')
  return {
    quick: values.quick ?? false,
    stores: choose('--store', STORES, values.store),
    scenarios: choose('--scenario', SCENARIOS, values.scenario),
    rounds,
    subjects: values.subject && choose('--subject', SUBJECTS, values.subject),
    processes: values.processes?.map((text) => readCount('--processes', text)),
    concurrencies: values.concurrency?.map((text) => readCount('--concurrency', text)),
    ...(values.before !== undefined && { before: readCheckout(values.before) }),
    out: values.out ?? OUT,
    help: values.help ?? false,
    plan: values.plan ?? false,
  }
}

function readCheckout(folder: string): string {
  if (!existsSync(join(folder, 'benchmarks/src/subjects/open.ts')))
    throw new ArgumentError(
      `--before takes the folder of another checkout of this repository, not '${folder}'`,
    )
  return folder
}

function readCount(option: string, text: string): number {
  const count = Number(text)
  if (!(Number.isInteger(count) && count >= 1))
    throw new ArgumentError(`${option} takes a whole number of at least 1, not '${text}'`)
  return count
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean' },
        store: { type: 'string', multiple: true },
        scenario: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        subject: { type: 'string', multiple: true },
        processes: { type: 'string', multiple: true },
        concurrency: { type: 'string', multiple: true },
        before: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        plan: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new ArgumentError((error as Error).message)
  }
}

/** Returns the chosen names in the order of `known`, or all names if none was chosen. */
function choose<T extends string>(
  option: string,
  known: readonly T[],
  names: readonly string[] | undefined,
): T[] {
  const unknown = names?.find((name) => !known.includes(name as T))
  if (unknown !== undefined)
    throw new ArgumentError(`${option} takes ${known.join(', ')}; there is no '${unknown}'`)
  return known.filter((name) => names === undefined || names.includes(name))
}
