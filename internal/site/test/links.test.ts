import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { listPages, root } from '../src/pages.ts'
import { makeSidebar } from '../src/sidebar.ts'

// The package exports its API alone, which takes no list of files.
const cli = join(import.meta.dirname, '../node_modules/remark-cli/cli.js')
const config = join(import.meta.dirname, '../remark.config.mjs')

/** Returns what the checker of links says about Markdown files. */
async function check(files: readonly string[], input?: string): Promise<string> {
  const args = [
    '--frail',
    '--quiet',
    '--no-stdout',
    '--no-config',
    '--no-ignore',
    '--rc-path',
    config,
    ...files,
  ]
  const running = promisify(execFile)(process.execPath, [cli, ...args], { cwd: root })
  if (input !== undefined) running.child.stdin!.end(input)
  return running.then(
    () => '',
    ({ stderr }) => String(stderr),
  )
}

test('every link between READMEs and pages leads to a file, and to a heading of it', async () => {
  expect(await check(['README.md', ...listPages()])).toBe('')
})

test('the checker finds a link to a missing file and one to a missing heading', async () => {
  const said = await check(
    ['--file-path', 'docs/made-up.md'],
    '# A\n\n[a](no.md) [b](start.md#no-such) [c](#no)\n',
  )
  expect(said).toMatch(/Cannot find file .*no\.md/)
  expect(said).toMatch(/Cannot find heading for .*#no-such.* in .*start\.md/)
  expect(said).toMatch(/Cannot find heading for .*#no/)
})

test('every page has a place in the sidebar', () => {
  const more = makeSidebar().find(({ text }) => text === 'More')
  expect(more?.items ?? []).toEqual([])
})
