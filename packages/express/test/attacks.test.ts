import { mongoReplicaSet, type ProcessServer, postgresProcess, redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { expect, test } from 'vitest'
import { describeOnDatabases, openForTest } from '../../token/test/support/databases.ts'
import type { Place } from '../../token/test/support/places.ts'
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
import { endureOutage } from './support/outage.ts'

/**
 * The attacks on sessions and tokens, on every database. Larger numbers of the races are in the
 * tests of the token package.
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

const OPERATION_TIMEOUT = 2000
const OUTAGE = 10_000

const servers: Readonly<Record<Exclude<Place['database'], 'sqlite'>, () => Promise<ProcessServer>>> = {
  redis: () => redisProcess({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] }),
  postgres: () => postgresProcess(),
  mongodb: () => mongoReplicaSet(),
}

for (const [database, start] of Object.entries(servers) as [
  Exclude<Place['database'], 'sqlite'>,
  () => Promise<ProcessServer>,
][])
  describeWith(`attack, on ${database}`, start, (server) => {
    test('the store is killed, and is away for ten seconds', async () => {
      const place: Place = { database, url: server.url, namespace: 't_outage' }
      const store = openForTest(place, { operationTimeout: OPERATION_TIMEOUT })
      const { statuses, longest, cookies, signedOut } = await endureOutage(store, server, OUTAGE)
      expect({ cookies, signedOut }).toEqual({ cookies: 0, signedOut: 0 })
      expect(Object.keys(statuses).sort()).toEqual(['200', '503'])
      expect(statuses[503]).toBeGreaterThan(100)
      // One answer may need two calls of the store, and a busy machine adds to both.
      expect(longest).toBeLessThan(3 * OPERATION_TIMEOUT)
    })
  })
