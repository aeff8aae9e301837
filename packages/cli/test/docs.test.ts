import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

test('the README lists the id of every check, and no other', () => {
  const sources = globSync('src/doctor/*.ts', { cwd: root }).map(read).join('\n')
  const ids = [...sources.matchAll(/(?:check\(\s*|legacy\/|database\}\/)['`]?([\w-]+\/[\w-]+)'/g)].map(
    ([, id]) => id!,
  )
  expect(ids.length).toBeGreaterThan(40)
  const chapter = /## What doctor finds\n(.*?)\n## /s.exec(read('README.md'))![1]!
  const listed = [...chapter.matchAll(/`((?!application)[\w]+\/[\w-]+)`/g)].map(([, id]) => id!)
  const computed = [
    ...['connect-redis', 'connect-mongo', 'connect-pg-simple', 'better-sqlite3-session-store'].map(
      (store) => `legacy/${store}`,
    ),
    ...['postgres/never-pruned', 'sqlite/never-pruned'],
  ]
  expect(listed.sort()).toEqual([...new Set([...ids, ...computed])].sort())
})
