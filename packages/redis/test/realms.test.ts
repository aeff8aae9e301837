import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { isFault, toStoreError } from '../src/errors.ts'

/** Makes an error whose class is that of another realm, as Jest has one. */
const foreign = (source: string): Error => runInNewContext(source)

describe('errors of another realm', () => {
  const refused = foreign("Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })")

  it('are recognised', () => {
    expect(refused).not.toBeInstanceOf(Error)
    expect(toStoreError(refused)).toMatchObject({ code: 'UNAVAILABLE', cause: refused })
    expect(toStoreError(foreign("new Error('Connection is closed.')"), refused)).toMatchObject({
      cause: refused,
    })
    const denied = foreign("Object.assign(new Error('NOAUTH no'), { name: 'ReplyError' })")
    expect(toStoreError(denied)).toMatchObject({ code: 'ACCESS_DENIED' })
  })

  it('that are faults in the program are not outages', () => {
    const fault = foreign("new TypeError('the callback is not a function')")
    expect(isFault(fault)).toBe(true)
    expect(toStoreError(fault)).toBe(fault)
  })

  it('give away no command', () => {
    const command = "{ args: ['the-id'] }"
    const last = `Object.assign(new Error('closed'), { command: ${command} })`
    const error = foreign(
      `Object.assign(new Error('failed'), { command: ${command}, lastNodeError: ${last} })`,
    )
    expect(JSON.stringify(toStoreError(error), ['cause', 'lastNodeError', 'command', 'args'])).not.toMatch(
      /the-id/,
    )
  })
})
