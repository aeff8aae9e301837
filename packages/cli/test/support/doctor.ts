import { parseArgs } from 'node:util'
import { expect } from 'vitest'
import { type DoctorFlags, inspect, type Report, toReport } from '../../src/commands/doctor.ts'
import { type Outcome, runCommand } from './command.ts'

/** Runs `doctor --json`. */
export async function doctor(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Outcome & { report: Report }> {
  const outcome = await runCommand(['doctor', '--json', ...args], env)
  expect(outcome.stderr).toBe('')
  return { ...outcome, report: JSON.parse(outcome.stdout) }
}

/**
 * Of these faults the command itself is asked, in a process of its own. The others are variants, of
 * which its main function is asked: a process for each would take half a minute.
 */
const BY_PROCESS: ReadonlySet<string> = new Set([
  ...['redis/evicts', 'redis/no-persistence', 'redis/replica', 'redis/min-replicas', 'redis/rights'],
  ...[
    'postgres/fsync',
    'postgres/synchronous-commit',
    'postgres/indexes',
    'postgres/rights',
    'postgres/pooler',
  ],
  ...[
    'mongodb/standalone',
    'mongodb/write-concern',
    'mongodb/ttl-index',
    'mongodb/rights',
    'legacy/connect-mongo',
  ],
  ...['sqlite/readable', 'sqlite/damaged', 'sqlite/journal-mode', 'rows/seal-broken', 'store/clock'],
])

const text = { type: 'string' } as const
const OPTIONS = {
  ...{ store: text, prefix: text, schema: text, table: text, database: text, collection: text },
  ignore: text,
  sealed: { type: 'boolean' },
} as const

/** Runs the main function of `doctor` in this process. */
async function inspectHere(args: readonly string[], env: Record<string, string>): Promise<Report> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  const flags = { ...values, ...(values.ignore !== undefined && { ignore: [values.ignore] }) }
  Object.assign(process.env, env)
  try {
    return toReport(...(await inspect(flags as DoctorFlags)))
  } finally {
    for (const name of Object.keys(env)) delete process.env[name]
  }
}

/** Checks that `doctor` names these findings and no other, and says what to set. */
export async function expectFound(
  ids: readonly string[],
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Report> {
  const isAlone = ids.some((id) => BY_PROCESS.has(id) || id.startsWith('site/'))
  const { code, report } = isAlone
    ? await doctor(args, env)
    : { code: 1, report: await inspectHere(args, env) }
  expect(report.findings.map(({ id }) => id).sort()).toEqual([...ids].sort())
  expect(report).toMatchObject({ healthy: false, failures: [] })
  expect(code).toBe(1)
  for (const { message, fix } of report.findings) {
    expect(message).toMatch(/^[A-Z\d/].+\.$/)
    expect(fix.length).toBeGreaterThan(10)
  }
  return report
}

/** Checks that `doctor` says in words that all is well. */
export async function expectHealthy(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Outcome> {
  const outcome = await runCommand(['doctor', ...args], env)
  expect(outcome).toMatchObject({ code: 0, stderr: '' })
  expect(outcome.stdout).toMatch(/^Healthy: \d+ checks found nothing\.$/m)
  return outcome
}
