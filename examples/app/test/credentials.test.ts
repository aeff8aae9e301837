import { Browser } from '@session-stores/testbed/browser'
import { expect, test } from 'vitest'
import { findProblem, readCredentials } from '../src/credentials.ts'
import { countHashes } from './support/hashes.ts'
import { password, serve } from './support/serve.ts'

test('a name or password that is too long is refused, never truncated', async () => {
  const { origin } = await serve()
  const browser = new Browser(origin)
  const longest = { name: 'n'.repeat(64), password: 'p'.repeat(256) }
  const page = await new Browser(origin).submit('/sign-up', '/sign-up', longest)
  expect(page.body).toContain(`Hello, ${longest.name}`)
  const hashes = countHashes()
  for (const [fields, problem] of [
    [{ ...longest, name: `${longest.name}n` }, 'The name can have at most 64 characters.'],
    [{ ...longest, password: `${longest.password}p` }, 'The password can have at most 256 characters.'],
  ] as const) {
    const refused = await browser.submit('/sign-up', '/sign-up', fields)
    expect([refused.status, refused.body]).toEqual([422, expect.stringContaining(problem)])
    const wrong = await browser.submit('/sign-in', '/sign-in', fields)
    expect([wrong.status, wrong.body]).toEqual([401, expect.stringContaining('Name or password is wrong.')])
  }
  expect(hashes.started).toBe(0)
})

test('no field has a maximum length, because browsers truncate what is pasted', async () => {
  const { origin } = await serve()
  for (const path of ['/sign-in', '/sign-up'])
    expect((await new Browser(origin).get(path)).body).not.toContain('maxlength')
})

test('characters are counted as code points after normalization', () => {
  const withPassword = (typed: string) =>
    findProblem(readCredentials({ name: 'Ann', password: typed }))?.problem
  expect(withPassword('🐎'.repeat(256))).toBeUndefined()
  expect(withPassword('🐎'.repeat(257))).toContain('at most 256')
  // Two code points become one by normalization, and one code point becomes two.
  expect(withPassword('e\u0301'.repeat(256))).toBeUndefined()
  expect(withPassword('ĳ'.repeat(129))).toContain('at most 256')
  expect(findProblem(readCredentials({ name: 'ĳ'.repeat(33), password }))?.problem).toContain('at most 64')
  expect(findProblem(readCredentials({ name: 'Ann\0', password }))?.problem).toContain(
    'no control characters',
  )
})

test('a password in another Unicode form is the same password', async () => {
  const { origin } = await serve()
  await new Browser(origin).submit('/sign-up', '/sign-up', {
    name: 'Zo\u00eb',
    password: 'caf\u00e9 au lait',
  })
  const composed = { name: 'Zoe\u0308', password: 'cafe\u0301 au lait' }
  expect((await new Browser(origin).submit('/sign-in', '/sign-in', composed)).body).toContain(
    'Hello, Zo\u00eb',
  )
})
