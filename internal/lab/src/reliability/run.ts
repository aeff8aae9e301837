import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { databases } from '@session-stores/testbed/databases'
import type { SoakResult } from '../soak/result.ts'
import { type PlaceResult, type Run, type Tally, toPlaceResult } from './result.ts'

export const root: string = join(import.meta.dirname, '../../../..')

/** What a program wrote, and how it ended. */
interface Ended<T> {
  readonly written: T | undefined
  readonly code: number | null
  /** The end of what it printed to the error output. */
  readonly complaint: string
}

/** Runs a command of the lab that writes JSON, and returns the JSON. */
async function run<T>(program: 'histories' | 'soak', args: readonly string[]): Promise<Ended<T>> {
  const folder = mkdtempSync(join(tmpdir(), 'reliability-'))
  const json = join(folder, 'result.json')
  const errors = join(folder, 'errors.log')
  try {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, `../${program}/main.ts`), ...args, '--json', json],
      { stdio: ['ignore', 'inherit', openSync(errors, 'w')] },
    )
    const [code] = (await once(child, 'exit')) as [number | null]
    const written = existsSync(json) ? (JSON.parse(readFileSync(json, 'utf8')) as T) : undefined
    const complaint = readFileSync(errors, 'utf8').trim().split('\n').slice(-60).join('\n')
    return { written, code, complaint }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What is played on each database or deployment. */
export interface HistoriesPlan {
  readonly minutes: number
  readonly seed: number
  readonly together: number
  readonly faults: number
  /** A fault of the store that is planted on purpose. */
  readonly mutant?: string
  /** The folder for a page about each violation. */
  readonly pages?: string
}

/** Plays histories on a database or deployment. */
export async function playHistories(
  place: { readonly id: string; readonly name: string },
  { minutes, seed, together, faults, mutant, pages }: HistoriesPlan,
): Promise<PlaceResult> {
  const begin = performance.now()
  const { written, code, complaint } = await run<Tally[]>('histories', [
    ...['--database', place.id, '--seed', `${seed}`, '--minutes', `${minutes}`],
    ...['--histories', `${together}`, '--faults', `${faults}`],
    ...(mutant === undefined ? [] : ['--mutant', mutant]),
    ...(pages === undefined ? [] : ['--pages', join(pages, place.id)]),
  ])
  const seconds = Math.round((performance.now() - begin) / 1000)
  const about = { name: place.name, seconds }
  const [tally] = written ?? []
  if (tally !== undefined) return toPlaceResult(tally, about)
  const none: Tally = {
    database: place.id,
    version: 'unknown',
    seeds: [seed],
    histories: 0,
    operations: 0,
    unanswered: 0,
    undecided: 0,
    faults: {},
    codes: {},
    violations: [],
  }
  console.error(complaint)
  return toPlaceResult(none, { ...about, error: `the histories ended with ${code}` })
}

/**
 * Soaks a database.
 * @throws where the soak ended without a result
 */
export async function runSoak(database: string, minutes: number, seed: number): Promise<SoakResult> {
  const { written, code, complaint } = await run<SoakResult[]>('soak', [
    ...['--database', database, '--minutes', `${minutes}`, '--seed', `${seed}`],
  ])
  const [result] = written ?? []
  if (result === undefined) throw new Error(`the soak of ${database} ended with ${code}: ${complaint}`)
  return result
}

/** Returns when, where and from what a part is made. */
export async function describeRun(seed: number, seconds: number): Promise<Run> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', args, { cwd: root })).stdout.trim()
  // What the command itself writes is no change of what is tested.
  const changes = await git('status', '--porcelain', '--', '.', ':!docs')
  const commit = await git('rev-parse', '--short=12', 'HEAD')
  const versionOf = (name: string): string =>
    JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: changes === '' ? commit : `${commit} and changes`,
    cores: availableParallelism(),
    seconds: Math.round(seconds),
    seed,
    versions: {
      Node: process.versions.node,
      ...Object.fromEntries(Object.values(databases).map(({ client }) => [client, versionOf(client)])),
    },
  }
}
