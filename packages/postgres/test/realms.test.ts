import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { toStoreError } from '../src/errors.ts'

it('errors of another realm, such as that of Jest, mean the same and show as little', () => {
  const refused = runInNewContext("Object.assign(new Error('connect ECONNREFUSED'), { syscall: 'connect' })")
  expect(refused).not.toBeInstanceOf(Error)
  expect(toStoreError(refused)).toMatchObject({ code: 'UNAVAILABLE', cause: refused })
  const checked = runInNewContext(
    "Object.assign(new Error('a check'), { severity: 'ERROR', code: '23514', detail: 'the row' })",
  )
  expect(toStoreError(checked)).toMatchObject({ code: 'BAD_STORAGE' })
  expect(checked).not.toHaveProperty('detail')
})
