import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect } from 'vitest'

/** The programs of the pages in folders of docs, written into folders as the pages show them. */

const root = join(import.meta.dirname, '../..')

/** The folders of pages with programs. Their blocks may have these languages. */
const LANGUAGES = {
  guides: /^(js|sh)$/,
  recipes: /^(js|jsx|ts|json|sh)$/,
  moving: /^(js|sh)$/,
  production: /^(js|sh|yaml|nginx|docker)$/,
} as const

export type PageKind = keyof typeof LANGUAGES

/** A page and the folder that its programs are in. */
export interface Page {
  readonly name: string
  readonly folder: string
  readonly markdown: string
}

/**
 * Makes a folder from which programs find the packages of this repository. `remove` deletes it.
 */
export function makeFolder(kind: PageKind | 'quick-starts'): { folder: string; remove(): void } {
  const parent = join(root, 'test', `.${kind}`)
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, `${kind}-`))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/**
 * Writes the programs of each page into a folder of its name. Every block is a program or a file of
 * one, except commands and settings of other programs, so no block is left that nothing runs.
 */
export function writePages(kind: PageKind, folder: string): Page[] {
  return globSync(`docs/${kind}/*.md`, { cwd: root })
    .sort()
    .map((path) => {
      const markdown = readFileSync(join(root, path), 'utf8')
      const page = { name: basename(path, '.md'), folder: join(folder, basename(path, '.md')), markdown }
      mkdirSync(page.folder, { recursive: true })
      for (const [, language, code] of blocksOf(markdown)) {
        expect(language, path).toMatch(LANGUAGES[kind])
        if (/^(sh|yaml|nginx|docker)$/.test(language!)) continue
        const name = /^\/\/ ([\w./-]+\.(?:mjs|ts|json|jsx))\n/.exec(code!)?.[1]
        expect(name, `${path}: each program begins with its name`).toBeDefined()
        mkdirSync(dirname(join(page.folder, name!)), { recursive: true })
        writeFileSync(join(page.folder, name!), code!)
      }
      return page
    })
}

/** Returns the fenced blocks of a page: the whole block, its language and its text. */
function blocksOf(markdown: string): IterableIterator<RegExpExecArray> {
  return markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)
}

/** Returns the packages that the commands of a page install. */
export function installedBy({ markdown }: Page): string[] {
  const commands = [...blocksOf(markdown)].filter(([, language]) => language === 'sh')
  const lines = commands.flatMap(([, , code]) => code!.match(/^npm install .+$/gm) ?? [])
  return lines.flatMap((line) => line.split(' ').slice(2)).filter((word) => !word.startsWith('-'))
}

/** Returns the packages that the programs of a page import. */
export function importedBy({ folder }: Page): string[] {
  const files = globSync('*.{mjs,ts}', { cwd: folder }).map((file) =>
    readFileSync(join(folder, file), 'utf8'),
  )
  const specifiers = files.flatMap((text) => [...text.matchAll(/(?:from|^import) '([^'.][^']*)'/gm)])
  const packages = specifiers.map(([, path]) => /^(?:@[^/]+\/)?[^/]+/.exec(path!)![0])
  return [...new Set(packages)].filter((name) => !name.startsWith('node:')).sort()
}
