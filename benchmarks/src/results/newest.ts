import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Run } from './results.ts'

const folder = join(import.meta.dirname, '../../results')

/**
 * Returns the newest run in `benchmarks/results` and the path of its file without the extension.
 * @throws Error if there is no run
 */
export function newestRun(): { run: Run; base: string } {
  const newest = globSync('*.json', { cwd: folder }).sort().at(-1)
  if (newest === undefined)
    throw new Error('there is no run in results/: bench --out benchmarks/results makes one')
  const file = join(folder, newest)
  return { run: JSON.parse(readFileSync(file, 'utf8')), base: file.replace(/\.json$/, '') }
}
