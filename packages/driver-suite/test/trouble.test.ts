import assert from 'node:assert/strict'
import { type Driver, memoryDriver, SessionStoreError } from '@session-stores/core'
import { SECRET, type Trouble, troubleSuite } from '@session-stores/driver-suite'
import { describe, it } from 'vitest'
import { collectTests } from './support/runner.ts'

const verbs = ['setup', 'read', 'write', 'touch', 'list', 'count', 'clear', 'ping'] as const

/**
 * A database that is away from `begin` to `end`. Meanwhile calls fail with `error`, or do what
 * `mutant` does.
 */
function makeOutage(mutant: Partial<Driver> = {}, error = makeError()): Trouble {
  const memory = memoryDriver()
  let isAway = false
  const makeVerb = (verb: (typeof verbs)[number]) =>
    async function call(...args: unknown[]) {
      const work = (isAway && mutant[verb]) || memory[verb]
      if (isAway && !mutant[verb]) throw error
      return (work as (...args: unknown[]) => unknown)(...args)
    }
  const driver = { ...memory, ...Object.fromEntries(verbs.map((verb) => [verb, makeVerb(verb)])) }
  return {
    code: 'UNAVAILABLE',
    driver: () => driver,
    begin: () => {
      isAway = true
    },
    end: () => {
      isAway = false
    },
  }
}

const makeError = (message = 'the database is away', cause: unknown = new Error('no route')) =>
  new SessionStoreError('UNAVAILABLE', message, cause)

function checkTrouble(trouble: Trouble): Promise<void> {
  const [test] = collectTests((runner) => troubleSuite(runner, { 'an outage': trouble })).values()
  return test!()
}

troubleSuite(
  { describe, it },
  {
    'an outage': makeOutage(),
    'an outage in which reads work': { ...makeOutage({ read: () => [] }), works: ['get'] },
  },
)

describe('the suite finds a mutant with', () => {
  const mutants: Record<string, [trouble: Trouble, message: RegExp]> = {
    'a call that succeeds': [makeOutage({ count: () => 0 }), /length succeeds/],
    'an outage that looks like a logout': [makeOutage({ read: () => [] }), /get succeeds/],
    'another code': [{ ...makeOutage(), code: 'TIMEOUT' }, /fails with another code/],
    'a secret in the message': [makeOutage({}, makeError(`not ${SECRET}-id`)), /contains a secret/],
    'a secret in the cause': [
      makeOutage({}, makeError('away', new Error(`${SECRET}-payload`))),
      /contains a secret/,
    ],
    'no cause': [
      makeOutage({}, new SessionStoreError('UNAVAILABLE', 'the database is away')),
      /has no cause/,
    ],
    'a call that should work': [{ ...makeOutage(), works: ['ping'] }, /the database is away/],
  }
  for (const [name, [trouble, message]] of Object.entries(mutants))
    it(name, () => assert.rejects(checkTrouble(trouble), message))
})
