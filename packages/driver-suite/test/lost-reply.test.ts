import assert from 'node:assert/strict'
import { type Driver, memoryDriver } from '@session-stores/core'
import { type LossyDriver, lostReplySuite } from '@session-stores/driver-suite'
import { describe, it } from 'vitest'
import { collectTests } from './support/runner.ts'

const verbs = ['read', 'touch', 'list', 'count', 'ping'] as const
type Verb = (typeof verbs)[number]

/** Makes a driver that loses replies, and sends a call again unless `onLoss` says what it does. */
function open(onLoss: Partial<Record<Verb, (again: () => unknown) => unknown>> = {}): LossyDriver {
  const memory = memoryDriver()
  let finish: (() => void) | undefined
  const driver = { ...memory }
  for (const verb of verbs)
    Object.assign(driver, {
      async [verb](...args: unknown[]) {
        const call = () => (memory[verb] as (...args: unknown[]) => unknown)(...args)
        const answer = await call()
        if (finish === undefined) return answer
        finish()
        finish = undefined
        return onLoss[verb] === undefined ? call() : onLoss[verb](call)
      },
    })
  const loseNextReply = () =>
    new Promise<void>((resolve) => {
      finish = resolve
    })
  return { driver: driver as Driver, loseNextReply }
}

lostReplySuite({ describe, it }, () => open())

describe('the suite finds a mutant with', () => {
  const fail = () => Promise.reject(new Error('the connection broke'))
  const mutants: Record<string, [title: string, mutant: () => LossyDriver]> = {
    'a read that fails': ['read', () => open({ read: fail })],
    'a read that looks like a logout': ['read', () => open({ read: () => [] })],
    'a read of many keys that fails': ['read of many keys', () => open({ read: fail })],
    'a touch that fails': ['touch', () => open({ touch: fail })],
    'a list that fails': ['list', () => open({ list: fail })],
    'an empty list': ['list', () => open({ list: () => ({ keys: [] }) })],
    'a count that fails': ['count', () => open({ count: fail })],
    'a ping that fails': ['ping', () => open({ ping: fail })],
  }
  for (const [name, [title, mutant]] of Object.entries(mutants))
    it(name, async () => {
      const tests = collectTests((runner) => lostReplySuite(runner, mutant))
      await assert.rejects(tests.get(`does not fail a ${title}`)!)
    })
})
