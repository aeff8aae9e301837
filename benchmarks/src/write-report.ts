/**
 * Writes the reports of the newest run in `results/`: its tables, its page, the speed section of the
 * README, and the examples of docs/scale.md.
 *
 *     npx -y pnpm@12 bench:report
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { readFigures } from './capacity/figures.ts'
import { withCapacity } from './capacity/table.ts'
import { renderMarkdown } from './report/markdown.ts'
import { renderPage } from './report/render.ts'
import { withSpeed } from './report/speed.ts'
import { newestRun } from './results/newest.ts'

const root = join(import.meta.dirname, '../..')
const readme = join(root, 'README.md')
const { run, base } = newestRun()
const [tables, page] = [`${base}.md`, `${base}.html`]
writeFileSync(tables, renderMarkdown(run))
writeFileSync(page, await renderPage(run))
writeFileSync(readme, withSpeed(readFileSync(readme, 'utf8'), run, relative(root, tables)))
const scale = join(root, 'docs/scale.md')
writeFileSync(scale, withCapacity(readFileSync(scale, 'utf8'), readFigures()))
console.log([tables, page, readme, scale].map((file) => relative(root, file)).join('\n'))
