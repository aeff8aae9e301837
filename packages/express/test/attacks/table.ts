import { SID } from '../support/site.ts'
import { dumps, looksIntoUrlsAndMessages } from './leaks.ts'
import { plantsACookie, sendsFromAnotherSite, sendsTwoCredentials } from './requests.ts'
import { waitsForALateAnswer } from './revocation.ts'
import type { MakePlace } from './site.ts'

/** What an attacker tries, and the test that it is stopped. */
export type Attack = readonly [name: string, check: (makePlace: MakePlace) => Promise<void>]

/** The attacks on sessions and on requests with cookies, for every framework. */
export const sessionAttacks: readonly Attack[] = [
  ['a late answer of /token, or a late save, after the sign-out', waitsForALateAnswer],
  ['a dump of the store', (makePlace) => dumps(makePlace, SID)],
  ['a dump of the store, while older cookies are accepted', (makePlace) => dumps(makePlace, 'connect.sid')],
  ['session fixation, and a planted cookie', plantsACookie],
  ['requests of other sites: with a session, and to sign somebody in', sendsFromAnotherSite],
  ['a cookie beside a header, and a cookie twice', sendsTwoCredentials],
  ['a token in the URL, and tokens in messages and events', looksIntoUrlsAndMessages],
]
