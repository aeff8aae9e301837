import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { rules } from '@session-stores/conformance'
import { contractRules } from '@session-stores/driver-suite'
import { SqliteStore } from '@session-stores/sqlite'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
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

describe('docs/troubleshooting.md', () => {
  const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8')
  const explained = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code!)

  test('explains every code of an error, and no other', () => {
    const declared = ['core', 'token'].flatMap((name) => {
      const source = readFileSync(join(root, `packages/${name}/src/errors.ts`), 'utf8')
      const [, union] = /export type \w+ErrorCode =\n(.*?)\n\n/s.exec(source)!
      return [...union!.matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(([, code]) => code!)
    })
    expect(declared.length).toBeGreaterThan(30)
    expect(explained.filter((code) => !code.startsWith('SESSION_STORES_')).sort()).toEqual(declared.sort())
  })

  test('explains every warning of the process, all of one name', () => {
    const sources = globSync('packages/*/src/**/*.ts', { cwd: root }).map((path) =>
      readFileSync(join(root, path), 'utf8'),
    )
    const warnings = sources.flatMap((source) => [...source.matchAll(/code: '(SESSION_STORES_\w+)'/g)])
    const codes = [...new Set(warnings.map(([, code]) => code!))]
    expect(explained.filter((code) => code.startsWith('SESSION_STORES_')).sort()).toEqual(codes.sort())
    const names = sources.flatMap((source) =>
      [...source.matchAll(/type: '(\w+)',\s*code: 'SESSION_STORES_/g)].map(([, name]) => name!),
    )
    expect(names).toHaveLength(warnings.length)
    expect([...new Set(names)]).toEqual(['SessionStoresWarning'])
  })

  test('its program prints the code', async () => {
    expect(await runProgram('docs/troubleshooting.md', 'errors.mjs')).toMatch(/^[A-Z_]+: .+\n$/)
  })
})

describe('docs/sealing.md', () => {
  const [old, fresh] = [
    'b4Wk2T0vJt9ZqXo1sYhM7cRfLdPgN6eUaKiS3mQxBnE',
    'Zq8dV1rJx5KtP0oWmYcB7nHsLf2GuE6aRiT9wXvQk4M',
  ]

  test('the programs seal, and replace a key', async () => {
    const folder = mkdtempSync(join(root, 'test/.docs-'))
    try {
      const seal = (program: string, SEAL_KEYS: string) =>
        runProgram('docs/sealing.md', program, { folder, env: { SEAL_KEYS } })
      expect(await seal('sealed.mjs', old!)).toBe('ada\n')
      await expect(seal('reseal.mjs', fresh!)).resolves.toBe('0 sessions\n')
      expect(await seal('reseal.mjs', `${fresh},${old}`)).toBe('1 sessions\n')
      expect(await seal('reseal.mjs', fresh!)).toBe('1 sessions\n')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

test('docs/production/upgrading.md stores sessions in another format', async () => {
  const folder = mkdtempSync(join(root, 'test/.docs-'))
  const store = new SqliteStore({ path: join(folder, 'sessions.db'), pruneInterval: false })
  try {
    await store.set('one', { cookie: { originalMaxAge: null }, name: 'Ada' } as never)
    const tag = () =>
      new Database(join(folder, 'sessions.db')).prepare('SELECT tag FROM sessions').pluck().get()
    const before = tag()
    const rewrite = (FORMAT_VERSION: string) =>
      runProgram('docs/production/upgrading.md', 'rewrite.mjs', { folder, env: { FORMAT_VERSION } })
    expect(await rewrite('1')).toBe('1 sessions\n')
    expect(tag()).not.toBe(before)
    expect(await store.get('one')).toMatchObject({ name: 'Ada' })
    await expect(rewrite('2')).rejects.toThrow("option 'formatVersion' takes 1")
  } finally {
    await store.close()
    rmSync(folder, { recursive: true })
  }
})

/** Runs a program of a page, by the name in its first line, and returns what it prints. */
async function runProgram(
  page: string,
  name: string,
  { folder = join(root, 'test'), env = {} }: { folder?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const markdown = readFileSync(join(root, page), 'utf8')
  const [, code] = new RegExp(`^\`\`\`js\\n// ${name}\\n(.*?)^\`\`\`$`, 'ms').exec(markdown)!
  const file = join(folder, `.${process.pid}-${name}`)
  writeFileSync(file, code!)
  try {
    const { stdout } = await promisify(execFile)('node', [file], {
      cwd: folder,
      env: { ...process.env, ...env },
    })
    return stdout
  } finally {
    rmSync(file)
  }
}

test('every block of JavaScript is one that a test runs', () => {
  const documents = globSync(
    ['*.md', '{packages,examples}/*/README.md', 'benchmarks/README.md', 'docs/**/*.md'],
    {
      cwd: root,
    },
  )
  const stray = documents.flatMap((document) =>
    [...readFileSync(join(root, document), 'utf8').matchAll(/^```(?:js|mjs|cjs|javascript)\n(.*)$/gm)]
      .filter(([, line]) => !isRun(document, line!))
      .map(([, line]) => `${document}: ${line}`),
  )
  expect(stray).toEqual([])
})

/** Whether a test runs a block of JavaScript, by its page and its first line. */
function isRun(document: string, line: string): boolean {
  const name = /^\/\/ ([\w.-]+\.[mc]?js)$/.exec(line)?.[1]
  if (name === undefined) return false
  const quickStarts = /^(README\.md|docs\/start\.md|packages\/[\w-]+\/README\.md)$/
  if (/^docs\/(guides|recipes|moving|production)\//.test(document)) return true
  if (/^docs\/(troubleshooting|sealing)\.md$/.test(document))
    return /^(errors|sealed|reseal)\.mjs$/.test(name)
  // Of the README of the conformance suite, test/packages.test.ts runs the programs.
  return quickStarts.test(document)
}
