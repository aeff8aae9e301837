import assert from 'node:assert/strict'
import { type Driver, memoryDriver, SessionStoreError } from '@session-stores/core'
import { SECRET, type Trouble, troubleSuite } from '@session-stores/driver-suite'
import { describe, it } from 'vitest'

const verbs = ['setup', 'read', 'write', 'touch', 'list', 'count', 'clear', 'ping'] as const

/** A database that is away from `begin` to `end`, and what its driver does then instead of failing as it should. */
function outage(fault: Partial<Driver> = {}, error = away()): Trouble {
  const memory = memoryDriver()
  let isAway = false
  const verbOf = (verb: (typeof verbs)[number]) =>
    async function call(...args: unknown[]) {
      const work = (isAway && fault[verb]) || memory[verb]
      if (isAway && !fault[verb]) throw error
      return (work as (...args: unknown[]) => unknown)(...args)
    }
  const driver = { ...memory, ...Object.fromEntries(verbs.map((verb) => [verb, verbOf(verb)])) }
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

const away = (message = 'it is away', cause: unknown = new Error('no route')) =>
  new SessionStoreError('UNAVAILABLE', message, cause)

function check(trouble: Trouble): Promise<void> {
  let test: (() => Promise<void>) | undefined
  const runner = {
    describe: (_: string, body: () => void) => body(),
    it(_: string, body: () => Promise<void>) {
      test = body
    },
  }
  troubleSuite(runner, { 'an outage': trouble })
  return test!()
}

troubleSuite(
  { describe, it },
  { 'an outage': outage(), 'one whose reads work': { ...outage({ read: () => [] }), works: ['get'] } },
)

describe('a fault is found', () => {
  const faults: Record<string, [trouble: Trouble, says: RegExp]> = {
    'a call that works': [outage({ count: () => 0 }), /length works/],
    'an outage that is taken for a logout': [outage({ read: () => [] }), /get works/],
    'another code': [{ ...outage(), code: 'TIMEOUT' }, /fails otherwise/],
    'a secret in the message': [outage({}, away(`not ${SECRET}-id`)), /gives a secret away/],
    'a secret in the cause': [
      outage({}, away('away', new Error(`${SECRET}-payload`))),
      /gives a secret away/,
    ],
    'no cause': [outage({}, new SessionStoreError('UNAVAILABLE', 'it is away')), /does not say why/],
    'a call that should work': [{ ...outage(), works: ['ping'] }, /it is away/],
  }
  for (const [name, [trouble, says]] of Object.entries(faults))
    it(name, () => assert.rejects(check(trouble), says))
})
