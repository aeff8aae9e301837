import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Reporter, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node'
import { databases } from '../databases.ts'
import { readServer } from '../ran-on.ts'
import type { Identity } from '../server.ts'

const root = join(import.meta.dirname, '../../../..')

interface Report {
  /** Whether every test file ran and passed. */
  complete: boolean
  date: string
  versions: Record<string, string>
  servers: (Identity & { files: Record<string, { passed: number; failed: number }> })[]
}

/**
 * Writes to reports/servers.json which tests ran on which servers. With UPDATE_DOCS=1 also updates
 * docs/generated/servers.md if all test files ran and passed.
 */
export class ServersReporter implements Reporter {
  #vitest!: Vitest
  /** The folder that contains `reports` and `docs`. */
  readonly #folder: string

  constructor(folder: string = root) {
    this.#folder = folder
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  async onTestRunEnd(
    modules: readonly TestModule[],
    _errors: unknown,
    reason: TestRunEndReason,
  ): Promise<void> {
    const everything = await this.#vitest.globTestSpecifications()
    const filtered = this.#vitest.config.testNamePattern || modules.length < everything.length
    const report: Report = {
      complete: reason === 'passed' && !filtered,
      date: new Date().toISOString().slice(0, 10),
      versions: readVersions(),
      servers: groupByServer(modules),
    }
    mkdirSync(join(this.#folder, 'reports'), { recursive: true })
    writeFileSync(join(this.#folder, 'reports/servers.json'), `${JSON.stringify(report, undefined, 2)}\n`)
    if (process.env.UPDATE_DOCS !== '1') return
    if (report.complete) this.#update(report)
    else process.stdout.write('docs/generated/servers.md stays as it is: not every test ran and passed\n')
  }

  #update(report: Report): void {
    const document = join(this.#folder, 'docs/generated/servers.md')
    const text = readFileSync(document, 'utf8')
    const marks = /(<!-- servers -->\n).*(<!-- end -->)/s
    writeFileSync(
      document,
      text.replace(marks, (_, begin, end) => begin + renderTables(report) + end),
    )
  }
}

function readVersions(): Record<string, string> {
  const versionOf = (name: string) =>
    JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
  return {
    Node: process.versions.node,
    ...Object.fromEntries(Object.values(databases).map(({ client }) => [client, versionOf(client)])),
  }
}

function groupByServer(modules: readonly TestModule[]): Report['servers'] {
  const servers = new Map<string, Report['servers'][number]>()
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      const identity = findServer(test)
      if (!identity || (state !== 'passed' && state !== 'failed')) continue
      const { version, arrangement, source } = identity
      const key = [version, arrangement, source].join()
      const server = servers.get(key) ?? { ...identity, files: {} }
      servers.set(key, server)
      server.files[module.relativeModuleId] ??= { passed: 0, failed: 0 }
      server.files[module.relativeModuleId]![state]++
    }
  }
  return [...servers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, server]) => server)
}

/** Returns the server of the test, or that of the innermost suite around the test. */
function findServer(test: TestCase): Identity | undefined {
  let identity = readServer(test.meta())
  for (let { parent } = test; !identity && parent.type === 'suite'; { parent } = parent) {
    identity = readServer(parent.meta())
  }
  return identity
}

function renderTables({ date, versions, servers }: Report): string {
  const rows = servers.map(({ version, arrangement, source, files }) => {
    const counts = Object.entries(files).map(([file, { passed }]) => [shorten(file), passed] as const)
    const all = counts.reduce((sum, [, passed]) => sum + passed, 0)
    const each = counts.sort(([a], [b]) => (a < b ? -1 : 1)).map(([file, passed]) => `${file} ${passed}`)
    return `| ${version} | ${arrangement ?? ''} | ${source} | ${all} | ${each.join(', ')} |`
  })
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `\
| server | set up as | source | tests passed | in |
|---|---|---|---|---|
${rows.join('\n')}

${date}, with ${packages.join(', ')}.
`
}

/** Shortens `packages/redis/test/suites.test.ts` to `redis/suites`. */
function shorten(file: string): string {
  return file
    .replace(/^(packages|examples)\//, '')
    .replace('/test/', '/')
    .replace(/\.test\.ts$/, '')
}
