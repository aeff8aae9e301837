import { test } from 'vitest'
import { describeOnDatabases } from '../../token/test/support/databases.ts'
import { floods, usesWrongClocks } from './attacks/floods.ts'
import {
  bringsItsOwnKey,
  changesTheAlgorithm,
  presentsAnotherKind,
  presentsTheTwin,
} from './attacks/forgery.ts'
import { refreshesManyTimesAtOnce, usesAStolenToken } from './attacks/refresh.ts'
import { refreshesBesideARevocation, usesATokenAfterTheEnd } from './attacks/revocation.ts'
import { type Attack, sessionAttacks } from './attacks/table.ts'

/**
 * The attacks on sessions and tokens, on every database. Larger numbers of the races are in the
 * tests of the token package, and an outage is in outage.test.ts.
 */
const attacks: readonly Attack[] = [
  ...sessionAttacks,
  ['"none", HS256 with the public key, an algorithm in another case', changesTheAlgorithm],
  ['a key of the attacker in jwk or at jku, a kid that is a path or SQL', bringsItsOwnKey],
  ['an ID token, a refresh token or another JWT in place of an access token', presentsAnotherKind],
  ['a revoked token with the twin of its signature, or encoded in another way', presentsTheTwin],
  [
    'a JWT after a sign-out, a sign-out everywhere or a change of the password, in two processes',
    usesATokenAfterTheEnd,
  ],
  ['a stolen refresh token, whether the thief or the victim uses it first', usesAStolenToken],
  ['a refresh beside a revocation', refreshesBesideARevocation],
  ['one refresh token used by many at once', refreshesManyTimesAtOnce],
  ['clocks that differ by a minute, and that are set back', usesWrongClocks],
  ['floods of unknown kids, huge tokens and forged refresh tokens', floods],
]

describeOnDatabases('attack', (makePlace) => {
  for (const [name, check] of attacks) test(name, () => check(makePlace))
})
