import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Run } from './results.ts'

const folder = join(import.meta.dirname, '../../results')

/**
 * Returns the newest run in `benchmarks/results`, or in a folder of it with runs of one scenario, and
 * the path of its file without the extension.
 * @throws Error if there is no run
 */
export function newestRun(scenario = ''): { run: Run; base: string } {
  const cwd = join(folder, scenario)
  const newest = globSync('*.json', { cwd }).sort().at(-1)
  if (newest === undefined)
    throw new Error('there is no run in results/: bench --out benchmarks/results makes one')
  const file = join(cwd, newest)
  return { run: JSON.parse(readFileSync(file, 'utf8')), base: file.replace(/\.json$/, '') }
}
