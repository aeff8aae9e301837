import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Which Markdown files of the repository are pages of the site, and under which addresses. */

export const root: string = join(import.meta.dirname, '../../..')

/** Patterns of the Markdown files that are pages. */
const SOURCES = [
  'docs/**/*.md',
  'packages/*/README.md',
  'examples/*/README.md',
  'benchmarks/README.md',
  'benchmarks/results/**/*.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
]

/** How the address of a page follows from the path of its file. The first pattern that fits counts. */
const ADDRESSES: readonly (readonly [file: RegExp, address: string])[] = [
  [/^docs\/(.+)\.md$/, '$1.md'],
  [/^benchmarks\/README\.md$/, 'benchmarks/index.md'],
  [/^((?:packages|examples)\/[^/]+)\/README\.md$/, '$1.md'],
  [/^CONTRIBUTING\.md$/, 'contributing.md'],
  [/^SECURITY\.md$/, 'security-policy.md'],
]

/** Returns the files of all pages, relative to the root of the repository. */
export function listPages(): string[] {
  return globSync(SOURCES, { cwd: root }).sort()
}

/** Returns the Markdown files that are no pages. */
export function listOthers(): string[] {
  const pages = new Set(listPages())
  const exclude = (path: string) => /(^|\/)(node_modules|\.[^/]*|dist)$/.test(path)
  return globSync('**/*.md', { cwd: root, exclude }).filter((file) => !pages.has(file))
}

/** Returns the address of a page, as a path that ends with `.md`. */
export function addressOf(file: string): string {
  const found = ADDRESSES.find(([pattern]) => pattern.test(file))
  return found ? file.replace(found[0], found[1]) : file
}

/** Returns the link to a page, as the site has it. */
export const linkTo = (file: string): string => `/${addressOf(file).replace(/(?:(^|\/)index)?\.md$/, '$1')}`

/** Returns the text of a page's first heading. */
export function titleOf(file: string): string {
  const heading = /^# (.+)$/m.exec(readFileSync(join(root, file), 'utf8'))?.[1]
  if (heading === undefined) throw new Error(`${file} has no heading`)
  return heading.replaceAll('`', '')
}
