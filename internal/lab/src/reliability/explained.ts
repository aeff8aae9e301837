/**
 * What a violation turned out to be, and that it has been mended since, by its database or deployment and
 * the seed of its round. The page about reliability says it until the next run.
 */
export const EXPLAINED: Readonly<Record<string, string>> = {
  'redis 40084':
    'A logout lost its reply, its session ended, another request created the id anew, and the logout that was sent again ended that session, too. Ends name the version that they read since then.',
  'sqlite 40042':
    "The lab's fault: the clock of a process jumped forth and back during one call, so the call saw times that its record did not hold. Records hold them since then.",
  'mongodb-replica-set 40010':
    'A lookup showed a save that failed on a primary which was being replaced, and which came back later. MongoDB allows that, and the README of the store says so.',
  'mongodb-replica-set 40034': 'The same as with seed 40010.',
}
