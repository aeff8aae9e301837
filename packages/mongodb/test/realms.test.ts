import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { didNothing, explained, isPassing } from '../src/errors.ts'

it('an error of another realm, as Jest has one, means the same', () => {
  const broken = runInNewContext(
    "Object.assign(new Error('closed'), { name: 'MongoNetworkError', connectionGeneration: 1 })",
  )
  expect(broken).not.toBeInstanceOf(Error)
  expect([isPassing(broken), didNothing(broken)]).toEqual([true, true])
  expect(explained(broken)).toMatchObject({ code: 'UNAVAILABLE', cause: broken })
})
