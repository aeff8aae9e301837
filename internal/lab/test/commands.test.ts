import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const commands: Record<string, string[]> = {
  freshness: ['--logouts', 'many'],
  histories: ['--database', 'oracle'],
  migrations: ['--sessions', '-1'],
  outages: ['--kind', 'burnt'],
  reliability: ['--minutes', 'many'],
  rounds: ['--round', '5'],
  soak: ['--leak', 'water'],
}

const run = (name: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, `../src/${name}/main.ts`), ...args], {
    encoding: 'utf8',
  })

it.each(Object.entries(commands))('%s explains its options, and what is wrong with them', (name, wrong) => {
  const help = run(name, '--help')
  expect(help).toMatchObject({ status: 0, stderr: '' })
  expect(help.stdout).toContain(`Usage: npx -y pnpm@12 ${name} [options]`)
  expect(help.stdout).toMatch(/ {2}--[a-z]+ .*\n/)
  const { status, stdout, stderr } = run(name, ...wrong)
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain(`error: ${wrong[0] === '--round' ? 'unknown option' : 'option'} '${wrong[0]}`)
  expect(stderr).toContain('Add --help to see the options.')
  expect(stderr).not.toMatch(/^ +at /m)
})
