import { test } from 'vitest'
import { sessionAttacks } from '../../../packages/express/test/attacks/table.ts'
import { hosts } from '../../../packages/express/test/support/host.ts'
import { describeOnDatabases } from '../../../packages/token/test/support/databases.ts'
import { databases, sites } from '../src/sites/index.ts'

/** The attacks on sessions, on every framework but the one of the Express package's own tests. */
for (const host of [hosts[1]!, ...sites])
  describeOnDatabases(
    `attack on ${host.name}`,
    (makePlace) => {
      for (const [name, check] of sessionAttacks) test(name, () => check(() => ({ ...makePlace(), host })))
    },
    databases,
  )
