import { execFile } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { rules } from '@session-stores/conformance'
import { contractRules } from '@session-stores/driver-suite'
import { expect, test } from 'vitest'
import { withSpeed } from '../benchmarks/src/report/speed.ts'
import { newestRun } from '../benchmarks/src/results/newest.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'test', '.docs')

/**
 * Returns the TypeScript blocks of a Markdown file. Each block keeps its line number, so that the
 * compiler's errors point to the right line.
 */
function extractBlocks(markdown: string): string[] {
  const found: string[] = []
  for (const match of markdown.matchAll(/^```ts\n(.*?)^```$/gms)) {
    // Programs with a name have options of the compiler of their own: test/recipes.test.ts runs them.
    if (/^\/\/ [\w.-]+\.ts\n/.test(match[1]!)) continue
    const before = markdown.slice(0, match.index).split('\n').length
    found.push(`${'\n'.repeat(before)}${match[1]}\nexport {}\n`)
  }
  return found
}

test('the code in README and docs compiles', async () => {
  const documents = globSync(['README.md', 'packages/*/README.md', 'docs/**/*.md'], { cwd: root })
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  let count = 0
  for (const document of documents) {
    for (const code of extractBlocks(readFileSync(join(root, document), 'utf8'))) {
      writeFileSync(join(folder, `${document.replaceAll(/\W+/g, '-')}-${++count}.ts`), code)
    }
  }
  expect(count).toBeGreaterThan(2)
  const options = { noUnusedLocals: false, isolatedDeclarations: false, declaration: false }
  const config = { extends: '../../tsconfig.base.json', compilerOptions: options, include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  await promisify(execFile)('tsc', ['-p', folder], { cwd: root }).catch((error) => {
    throw new Error(error.stdout)
  })
})

test("the README's figures are those of the newest run", () => {
  const { run, base } = newestRun()
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  expect(withSpeed(readme, run, `${relative(root, base)}.md`)).toBe(readme)
})

test('the README states the number of rules', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  expect(readme).toContain(`: ${rules.length} rules, `)
})

test('the table of mutants lists all rules, and each rule finds its mutant', () => {
  const lines = readFileSync(join(root, 'docs/generated/mutations.md'), 'utf8').split('\n')
  const named = lines.flatMap((line) => /^\| `(.+?)` \|/.exec(line)?.[1] ?? [])
  expect(named).toEqual([...rules, ...contractRules].map(({ id }) => id))
  expect(lines.filter((line) => line.includes('**not found**'))).toEqual([])
})
