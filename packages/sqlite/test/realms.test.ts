import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { explained } from '../src/errors.ts'

it('an error of another realm, as Jest has one, means the same', () => {
  const full = runInNewContext("Object.assign(new Error('disk is full'), { code: 'SQLITE_FULL' })")
  expect(full).not.toBeInstanceOf(Error)
  expect(explained(full)).toMatchObject({ code: 'STORAGE_FULL', cause: full })
})
