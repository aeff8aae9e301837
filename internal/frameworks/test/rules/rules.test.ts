import { run } from '@session-stores/conformance'
import { type Host, withHost } from '@session-stores/conformance/sites'
import { subjectOf } from '@session-stores/driver-suite'
import { redisServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { http } from '../../../../packages/conformance/src/rules/http.ts'
import { makeFrameworkRules } from '../../../../packages/conformance/src/rules/shared-framework.ts'
import type { MakeDeployment } from '../../../../packages/driver-suite/src/deployment.ts'
import { httpRules } from '../../../../packages/driver-suite/src/http/index.ts'
import { withStores } from '../../../../packages/driver-suite/src/policy/fixture.ts'
import { declare } from '../../../../packages/driver-suite/src/runner.ts'
import { deploymentsOn } from '../../../../packages/redis/test/support/deployment.ts'
import { makeDeployment } from '../../../../packages/sqlite/test/support/deployment.ts'
import { brokenHosts } from './hosts/broken.ts'
import { hosts } from './hosts/index.ts'
import { withVisitor } from './hosts/visitors.ts'

/** The rules of the driver's suite and of the suite for any store, under every framework. */
function declareRules(host: Host, make: MakeDeployment): void {
  declare({ describe, it }, 'the store under express-session', httpRules, (check) =>
    withHost(host, () => withStores(make, check)),
  )

  it('keeps the rules for any store over HTTP, and those for frameworks', async () => {
    const subject = subjectOf({ name: 'the store', make })
    const frameworkRules = makeFrameworkRules({
      name: 'framework',
      packages: [],
      source: '',
      open: (context, maxAge, check) => withVisitor(host, context, maxAge, check),
    })
    const results = await withHost(host, () => run(subject, [...http, ...frameworkRules]))
    expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    expect(results.filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThanOrEqual(15)
  })
}

for (const [name, host] of hosts) describe(`${name}, on SQLite`, () => declareRules(host, makeDeployment))

describeWith('on Redis', redisServer, (server) => {
  // The older versions differ in nothing that a database would notice.
  const newest = hosts.filter(([name]) => name === 'Koa 3' || name === 'Fastify 5')
  for (const [name, host] of newest) describe(name, () => declareRules(host, deploymentsOn(server)))
})

it.each(brokenHosts)('a host that %s is found by %s', async (_does, id, host) => {
  const rule = httpRules.find((each) => each.id === id)
  if (rule) {
    const check = () => withHost(host, () => withStores(makeDeployment, async (stores) => rule.check(stores)))
    await expect(check()).rejects.toThrow()
    return
  }
  const subject = subjectOf({ name: 'the store', make: makeDeployment })
  const chosen = http.filter((each) => each.id === id)
  const results = await withHost(host, () => run(subject, chosen))
  expect(results.map(({ outcome }) => outcome)).toEqual(['failed'])
})
