import { expect, test } from 'vitest'
import { findProblem, readCredentials } from '../src/credentials.ts'
import { Browser } from './support/browser.ts'
import { countHashes } from './support/hashes.ts'
import { password, serve } from './support/serve.ts'

test('a name or password that is too long is a problem at sign-up and wrong at sign-in, never cut', async () => {
  const { origin } = await serve()
  const browser = new Browser(origin)
  const longest = { name: 'n'.repeat(64), password: 'p'.repeat(256) }
  const signedUp = await new Browser(origin).submit('/sign-up', '/sign-up', longest)
  expect(signedUp.body).toContain(`Hello, ${longest.name}`)
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

test('no field has a length at which browsers cut what is pasted', async () => {
  const { origin } = await serve()
  for (const path of ['/sign-in', '/sign-up'])
    expect((await new Browser(origin).get(path)).body).not.toContain('maxlength')
})

test('characters are counted as code points, after normalisation', () => {
  const withPassword = (typed: string) => findProblem(readCredentials({ name: 'Ann', password: typed }))
  expect(withPassword('🐎'.repeat(256))).toBeUndefined()
  expect(withPassword('🐎'.repeat(257))).toContain('at most 256')
  // Two code points as typed, one after normalisation; and one that becomes two.
  expect(withPassword('e\u0301'.repeat(256))).toBeUndefined()
  expect(withPassword('ĳ'.repeat(129))).toContain('at most 256')
  expect(findProblem(readCredentials({ name: 'ĳ'.repeat(33), password }))).toContain('at most 64')
  expect(findProblem(readCredentials({ name: 'Ann\0', password }))).toContain('no control characters')
})

test('a password that is typed in another Unicode form is the same', async () => {
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
