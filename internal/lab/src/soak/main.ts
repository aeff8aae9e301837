/**
 * Soaks each database with the requests of an application, and looks for what grows: memory, handles,
 * listeners, rows. Exits with 1 if something does.
 *
 *     npx -y pnpm@12 soak [--database redis] [--minutes 25] [--requests 10000000] [--seed 1]
 *         [--leak 'never purges rows'] [--json file]
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type DatabaseId, databaseIds } from '@session-stores/testbed/databases'
import { LEAKS, type Leak } from './leaks.ts'
import { growing, type SoakResult } from './result.ts'
import { soak } from './soak.ts'

const { values } = parseArgs({
  options: {
    database: { type: 'string', multiple: true },
    minutes: { type: 'string', default: '25' },
    requests: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    leak: { type: 'string' },
    json: { type: 'string' },
  },
})
const leak = values.leak as Leak | undefined
if (leak !== undefined && !LEAKS.includes(leak))
  throw new TypeError(`--leak must be one of: ${LEAKS.join(', ')}`)
const results: SoakResult[] = []
for (const database of (values.database ?? databaseIds) as DatabaseId[]) {
  const result = await soak(database, {
    seed: Number(values.seed),
    milliseconds: Number(values.minutes) * 60_000,
    requests: Number(values.requests),
    leak,
  })
  results.push(result)
  const { measures, ...rest } = result
  console.log(JSON.stringify(rest))
  console.table(measures)
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
// Node 24 may wait forever for the handles of killed servers.
process.exit(results.some((result) => growing(result.measures).length > 0) ? 1 : 0)
