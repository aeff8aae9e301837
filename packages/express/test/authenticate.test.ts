import { expect, test } from 'vitest'
import { openInMemory, tokensForTest } from '../../token/test/support/databases.ts'
import { type AuthenticateOptions, authenticate } from '../src/index.ts'
import { declareAuthenticate } from './rules/authenticate.ts'
import { hosts } from './support/host.ts'

for (const host of hosts) declareAuthenticate(host)

test.each([
  ['a source', { from: ['query'] }],
  ['sources', { from: [] }],
  ['scopes', { scope: ['read'] }],
  ['required', { required: 'yes' }],
  ['freshness', { freshness: -1 }],
  ['a name', { credentialsRequired: false }],
])('authenticate with a wrong %s is refused', (_name, options) => {
  expect(() => authenticate(tokensForTest(openInMemory()), options as AuthenticateOptions)).toThrow(TypeError)
})
