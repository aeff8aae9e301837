import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { explained } from '../src/errors.ts'

it('an error of another realm, as Jest has one, means the same, and gives away as little', () => {
  const refused = runInNewContext("Object.assign(new Error('connect ECONNREFUSED'), { syscall: 'connect' })")
  expect(refused).not.toBeInstanceOf(Error)
  expect(explained(refused)).toMatchObject({ code: 'UNAVAILABLE', cause: refused })
  const checked = runInNewContext(
    "Object.assign(new Error('a check'), { severity: 'ERROR', code: '23514', detail: 'the row' })",
  )
  expect(explained(checked)).toMatchObject({ code: 'BAD_STORAGE' })
  expect(checked).not.toHaveProperty('detail')
})
