import { expect } from 'vitest'
import { type Outcome, runCommand } from './command.ts'

/** What `doctor --json` prints. */
export interface Report {
  healthy: boolean
  store?: string
  latency?: number
  clockOffset?: number
  failures: string[]
  findings: { id: string; severity: string; message: string; fix: string }[]
  passed: string[]
  skipped: { id: string; reason: string }[]
}

/** Runs `doctor --json`. */
export async function doctor(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Outcome & { report: Report }> {
  const outcome = await runCommand(['doctor', '--json', ...args], env)
  expect(outcome.stderr).toBe('')
  return { ...outcome, report: JSON.parse(outcome.stdout) }
}

/** Checks that `doctor` names these findings and no other, and says what to set. */
export async function expectFound(
  ids: readonly string[],
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Report> {
  const { code, report } = await doctor(args, env)
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
