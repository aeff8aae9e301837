import { Passport } from 'passport'
import { expect, test } from 'vitest'
import { passportSessions } from '../src/index.ts'
import { declarePassport, declarePassportOn } from './rules/passport.ts'
import { passportHosts } from './support/passport-host.ts'

for (const host of passportHosts) declarePassport(host)
declarePassportOn(passportHosts[0]!)

test.each([[{}], [undefined], [{ _sm: {} }], [{ _key: 'passport' }]])(
  'what is no Passport 0.7 is refused: %j',
  (passport) => {
    expect(() => passportSessions(passport as object)).toThrow(/passport@0\.7/)
  },
)

test('a wrong option is refused', () => {
  expect(() => passportSessions(new Passport(), { keep: 'cart' as never })).toThrow(/'keep' takes an array/)
})
