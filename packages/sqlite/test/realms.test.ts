import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { toStoreError } from '../src/errors.ts'

it('an error of another realm, as Jest throws them, is recognised', () => {
  const full = runInNewContext("Object.assign(new Error('disk is full'), { code: 'SQLITE_FULL' })")
  expect(full).not.toBeInstanceOf(Error)
  expect(toStoreError(full)).toMatchObject({ code: 'STORAGE_FULL', cause: full })
})
