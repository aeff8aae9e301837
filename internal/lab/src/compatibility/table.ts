import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Writes which combinations of versions have worked: docs/generated/compatibility.md. */

const file = join(import.meta.dirname, '../../../../docs/generated/compatibility.md')

/** Versions that were tried together. */
export interface Combination {
  /** The package, or the compiler. */
  title: string
  /** Which end of the supported ranges. */
  end?: 'lowest' | 'newest'
  versions: string
  /** The database server, by its own word. */
  server?: string | undefined
}

const row = ({ title, end, versions, server }: Combination): string =>
  `| ${title} | ${end ?? ''} | ${versions} | ${server ?? ''} |`

/** Writes the page. */
export function writeTable(combinations: readonly Combination[]): void {
  const sorted = combinations.map(row).sort()
  const date = new Date().toISOString().slice(0, 10)
  writeFileSync(
    file,
    `# Compatibility

The packed packages run with the lowest and with the newest versions that they support: an application signs in, counts, lists and ends sessions, over HTTP. Compilers check the types of a program that uses all packages. The packages need Node 22 or newer. [Servers](servers.md) lists the database servers of the tests.

| what | end of the ranges | versions | server |
|---|---|---|---|
${sorted.join('\n')}

All of these worked on ${date} with Node ${process.versions.node}. \`npx -y pnpm@12 compatibility\` tries them again, and writes this table.
`,
  )
}
