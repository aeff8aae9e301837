import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { explained, isFault } from '../src/errors.ts'

/** An error whose class is that of another realm, as Jest has one. */
const foreign = (source: string): Error => runInNewContext(source)

describe('errors of another realm', () => {
  const refused = foreign("Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })")

  it('mean the same', () => {
    expect(refused).not.toBeInstanceOf(Error)
    expect(explained(refused)).toMatchObject({ code: 'UNAVAILABLE', cause: refused })
    expect(explained(foreign("new Error('Connection is closed.')"), refused)).toMatchObject({
      cause: refused,
    })
    const denied = foreign("Object.assign(new Error('NOAUTH no'), { name: 'ReplyError' })")
    expect(explained(denied)).toMatchObject({ code: 'ACCESS_DENIED' })
  })

  it('of a fault in the program are no outage', () => {
    const fault = foreign("new TypeError('the callback is no function')")
    expect(isFault(fault)).toBe(true)
    expect(explained(fault)).toBe(fault)
  })

  it('give away no command', () => {
    const command = "{ args: ['the-id'] }"
    const last = `Object.assign(new Error('closed'), { command: ${command} })`
    const error = foreign(
      `Object.assign(new Error('failed'), { command: ${command}, lastNodeError: ${last} })`,
    )
    expect(JSON.stringify(explained(error), ['cause', 'lastNodeError', 'command', 'args'])).not.toMatch(
      /the-id/,
    )
  })
})
