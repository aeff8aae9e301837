import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../src/pages.ts'
import { readOptions } from '../src/reference/read.ts'
import { unitOf, writeReference } from '../src/reference/write.ts'

const page = readFileSync(join(root, 'docs/reference/options.md'), 'utf8')

test('the page of all options is what the docstrings say: npx -y pnpm@12 reference', () => {
  expect(writeReference()).toBe(page)
})

test('the page has the options of every form of a type, with their units and defaults', () => {
  const names = (file: string, type: string) => readOptions(file, type).options.map(({ name }) => name)
  expect(names('packages/redis/src/index.ts', 'RedisOptions')).toEqual(['url', 'tls', 'client', 'prefix'])
  expect(names('packages/postgres/src/index.ts', 'PostgresOptions')).toContain('schema')
  expect(page).toMatch(/^\| `idleTimeout` \| `number`, milliseconds \| `86_400_000` \(1 day\) \| How long /m)
  expect(page).toMatch(/^\| `maxPayload` \| `number`, bytes \| `16_000_000` \| /m)
  expect(page).toMatch(/^\| `prefix` \| `string` \| `'sess:'` \| /m)
  expect(page).toMatch(/^\| `pool` \| `PostgresPool` \| this or `url` \| /m)
  expect(page).toMatch(/^\| `issuer` \| `string` \| required \| /m)
})

test('an option that takes a number needs a unit', () => {
  expect(() => unitOf({ name: 'patience', type: 'number | false' })).toThrow('patience takes a number')
  expect(unitOf({ name: 'user', type: '(session: SessionData) => string | number' })).toBe('')
})
