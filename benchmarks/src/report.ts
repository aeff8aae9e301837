/**
 * Writes what people read of the newest run in `results/`: its tables, its page, and the README's section on speed.
 * `npx -y pnpm@12 bench:report`
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { markdown } from './markdown.ts'
import { renderPage } from './page/render.ts'
import type { Run } from './results.ts'
import { withSpeed } from './speed.ts'

const root = join(import.meta.dirname, '../..')
const newest = globSync('results/*.json', { cwd: join(root, 'benchmarks') })
  .sort()
  .at(-1)
if (newest === undefined)
  throw new Error('there is no run in results/: bench --out benchmarks/results makes one')
const file = join(root, 'benchmarks', newest)
const run = JSON.parse(readFileSync(file, 'utf8')) as Run
const [tables, page] = ['md', 'html'].map((extension) => file.replace(/json$/, extension)) as [string, string]
writeFileSync(tables, markdown(run))
writeFileSync(page, await renderPage(run))
const readme = join(root, 'README.md')
writeFileSync(readme, withSpeed(readFileSync(readme, 'utf8'), run, relative(root, tables)))
console.log(`${basename(tables)}, ${basename(page)}, README.md`)
