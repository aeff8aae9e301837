import { run } from '@session-stores/conformance'
import { type Host, withHost } from '@session-stores/conformance/sites'
import { subjectOf } from '@session-stores/driver-suite'
import { redisServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { http } from '../../../../packages/conformance/src/rules/http.ts'
import type { MakeDeployment } from '../../../../packages/driver-suite/src/deployment.ts'
import { httpRules } from '../../../../packages/driver-suite/src/http/index.ts'
import { withStores } from '../../../../packages/driver-suite/src/policy/fixture.ts'
import { declare } from '../../../../packages/driver-suite/src/runner.ts'
import { deploymentsOn } from '../../../../packages/redis/test/support/deployment.ts'
import { makeDeployment } from '../../../../packages/sqlite/test/support/deployment.ts'
import { hosts } from './hosts/index.ts'

/** The rules of the driver's suite and of the suite for any store, under every framework. */
function declareRules(host: Host, make: MakeDeployment): void {
  declare({ describe, it }, 'the store under express-session', httpRules, (check) =>
    withHost(host, () => withStores(make, check)),
  )

  it('keeps the rules for any store over HTTP', async () => {
    const subject = subjectOf({ name: 'the store', make })
    const results = await withHost(host, () => run(subject, http))
    expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    expect(results.filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThanOrEqual(12)
  })
}

for (const [name, host] of hosts) {
  describe(`${name}, on SQLite`, () => declareRules(host, makeDeployment))
  describeWith(`${name}, on Redis`, redisServer, (server) => declareRules(host, deploymentsOn(server)))
}
