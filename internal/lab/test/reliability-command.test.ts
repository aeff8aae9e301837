import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findGo } from '../src/histories/checker.ts'

/** Runs the command on SQLite for one round. */
function run(...args: string[]): { status: number | null; page: string } {
  const folder = mkdtempSync(join(tmpdir(), 'reliability-'))
  try {
    const { status } = spawnSync(
      process.execPath,
      [
        join(import.meta.dirname, '../src/reliability/main.ts'),
        ...['--database', 'sqlite', '--minutes', '0.01', '--seed', '1', '--histories', '20'],
        ...['--folder', folder, ...args],
      ],
      { encoding: 'utf8' },
    )
    return { status, page: readFileSync(join(folder, 'reliability.md'), 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

it.skipIf(findGo() === undefined)(
  'writes the page of what it played',
  () => {
    const { status, page } = run()
    expect(page).toContain('Wrong answers: **0**')
    expect(page).toMatch(/\| SQLite .* \| \*\*0\*\* \|/)
    expect(status).toBe(0)
  },
  120_000,
)

it.skipIf(findGo() === undefined)(
  'ends with 1 after a violation, which the page names',
  () => {
    const { status, page } = run('--mutant', 'loses an update')
    expect(page).toMatch(/\*\*What is wrong:\*\* SQLite: \d+ sessions? ha(s|ve) wrong answers\./)
    expect(page).toMatch(/- sqlite, seed 1, session `h1\./)
    expect(status).toBe(1)
  },
  120_000,
)
