import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The programs that the READMEs begin with, as ES modules and as CommonJS. */

const root = join(import.meta.dirname, '../..')

/** The names of pages that belong to no package. */
const NAMES: Readonly<Record<string, string>> = { 'README.md': 'root', 'docs/start.md': 'start' }

/** The program of a README, written into a folder in both module systems. */
export interface QuickStart {
  /** The folder of the package, such as `redis`, or `root` and `start`. */
  readonly name: string
  readonly folder: string
  /** The files of the program, such as `server.mjs` and `server.cjs`. */
  readonly files: readonly string[]
  /** The packages that the README installs. */
  readonly installs: readonly string[]
}

/** Returns the block of a README that begins with the name of a file, which may be a pattern. */
function blockOf(readme: string, file: string): { name: string; code: string } | undefined {
  const found = new RegExp(`^\`\`\`js\\n// (${file})\\n(.*?)^\`\`\`$`, 'ms').exec(readme)
  return found ? { name: found[1]!, code: found[2]! } : undefined
}

/**
 * Writes the program of each README that has one. The README of a package shows the whole ES module,
 * and the lines that stand in place of its imports in CommonJS.
 */
export function writeQuickStarts(folder: string): QuickStart[] {
  return globSync(['README.md', 'docs/start.md', 'packages/*/README.md'], { cwd: root })
    .sort()
    .flatMap((path) => {
      const readme = readFileSync(join(root, path), 'utf8')
      const module = blockOf(readme, '[\\w-]+\\.mjs')
      const requires = blockOf(readme, '[\\w-]+\\.cjs')
      if (module === undefined || requires === undefined) return []
      const name = NAMES[path] ?? basename(dirname(path))
      const target = join(folder, name)
      mkdirSync(target, { recursive: true })
      writeFileSync(join(target, module.name), module.code)
      const body = module.code.replaceAll(/^import .* from '.*'\n/gm, '')
      writeFileSync(join(target, requires.name), requires.code + toCommonJs(body))
      const [, line] = /^npm install (.+)$/m.exec(readme)!
      return [{ name, folder: target, files: [module.name, requires.name], installs: line!.split(' ') }]
    })
}

/** A program that waits at its top level needs a function around it in CommonJS. */
function toCommonJs(body: string): string {
  return /^(const .*= )?await /m.test(body) ? `async function main() {\n${body}}\nmain()\n` : body
}
