import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { didNothing, isTransient, toStoreError } from '../src/errors.ts'

it('errors of another realm, such as that of Jest, mean the same', () => {
  const broken = runInNewContext(
    "Object.assign(new Error('closed'), { name: 'MongoNetworkError', connectionGeneration: 1 })",
  )
  expect(broken).not.toBeInstanceOf(Error)
  expect([isTransient(broken), didNothing(broken)]).toEqual([true, true])
  expect(toStoreError(broken)).toMatchObject({ code: 'UNAVAILABLE', cause: broken })
})
