import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { ArgumentError, readArguments } from '../src/plan/arguments.ts'

describe('arguments', () => {
  it('select everything by default', () => {
    const { quick, stores, scenarios, rounds, out } = readArguments([])
    assert.deepEqual([quick, stores.length, rounds, out], [false, 6, undefined, 'reports'])
    assert.ok(scenarios.includes('expiry'))
  })

  it('select stores and scenarios without duplicates', () => {
    const { stores, scenarios } = readArguments(
      '--store sqlite --store redis --store redis --scenario touch'.split(' '),
    )
    assert.deepEqual([stores, scenarios], [['redis', 'sqlite'], ['touch']])
  })

  for (const [line, message] of [
    ['--store oracle', /--store takes redis, .*there is no 'oracle'/],
    ['--scenario speed', /--scenario takes http, .*there is no 'speed'/],
    ['--rounds 0', /whole number from 1 to 1000, such as --rounds 10, not '0'/],
    ['--rounds many', /whole number from 1 to 1000/],
    ['--rounds 2.5', /whole number from 1 to 1000/],
    ['--out=', /--out takes a folder/],
    ['--before=/nowhere', /folder of another checkout of this repository, not '\/nowhere'/],
    ['--fast', /--fast/],
    ['redis', /redis/],
  ] as const)
    it(`refuse ${line}`, () => {
      assert.throws(
        () => readArguments(line.split(' ')),
        (error) => error instanceof ArgumentError && message.test(error.message),
      )
    })
})
