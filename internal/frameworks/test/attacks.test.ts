import { test } from 'vitest'
import { sessionAttacks } from '../../../packages/express/test/attacks/table.ts'
import { describeOnDatabases } from '../../../packages/token/test/support/databases.ts'
import { databases, newestSites } from '../src/sites/index.ts'

/** The attacks on sessions that the Express package stops, on the other frameworks. */
for (const host of newestSites)
  describeOnDatabases(
    `attack on ${host.name}`,
    (makePlace) => {
      for (const [name, check] of sessionAttacks) test(name, () => check(() => ({ ...makePlace(), host })))
    },
    databases,
  )
