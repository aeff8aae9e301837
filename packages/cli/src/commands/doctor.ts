import { Examination, type Finding, type Inspected } from '../doctor/examination.ts'
import { inspectMongo } from '../doctor/mongodb.ts'
import { inspectPostgres } from '../doctor/postgres.ts'
import { inspectRedis } from '../doctor/redis.ts'
import { examineRows } from '../doctor/rows.ts'
import { inspectSite, type SiteFlags } from '../doctor/site.ts'
import { inspectSqlite } from '../doctor/sqlite.ts'
import { type Measured, measure } from '../doctor/store-checks.ts'
import { EXIT } from '../failure.ts'
import { print } from '../output.ts'
import { describeError, type Run } from '../run.ts'
import { redact } from '../secrets.ts'
import type { DatabaseId } from '../store/address.ts'
import { placeOf, readTarget, type StoreFlags, type Target, TIMEOUT } from '../store/target.ts'

/** The options of `doctor`. */
export interface DoctorFlags extends StoreFlags, SiteFlags {
  sealed?: boolean
  ignore?: string[]
  json?: boolean
}

const INSPECTORS: Readonly<Record<DatabaseId, (target: Target, exam: Examination) => Promise<Inspected>>> = {
  redis: inspectRedis,
  postgres: inspectPostgres,
  mongodb: inspectMongo,
  sqlite: inspectSqlite,
}

/** What was checked, and what could not be. */
export interface Checked extends Partial<Measured> {
  store?: string
  version?: string
  site?: string
  failures: string[]
}

/** Checks a store, a site, or both, and prints what is wrong and what to set. */
export async function examine(flags: DoctorFlags, run: Run): Promise<number> {
  // The stores warn about evictions and clocks, which are findings here.
  process.removeAllListeners('warning')
  run.ifInterrupted('Nothing was changed, and nothing is reported.')
  const [exam, checked] = await inspect(flags)
  if (!run.signal.aborted) {
    if (flags.json) await print(JSON.stringify(toReport(exam, checked)))
    else await printText(exam, checked)
  }
  return checked.failures.length > 0 ? EXIT.failed : exam.findings.length > 0 ? EXIT.found : EXIT.done
}

/** Checks a store, a site, or both. Mistakes in the options are a `Failure`, and others are noted. */
export async function inspect(flags: DoctorFlags): Promise<[Examination, Checked]> {
  const exam = new Examination(flags.ignore)
  const checked: Checked = { failures: [] }
  const isAboutStore = flags.site === undefined || flags.store !== undefined || process.env.SESSION_STORES_URL
  const target = isAboutStore ? await readTarget(flags) : undefined
  if (target) await attempt(checked, () => examineStore(target, flags, exam, checked))
  if (flags.site !== undefined) {
    checked.site = flags.site
    await attempt(checked, () => inspectSite(flags, flags.timeout ?? TIMEOUT, exam))
  }
  return [exam, checked]
}

async function attempt(checked: Checked, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    checked.failures.push(redact(describeError(error)))
  }
}

async function examineStore(
  target: Target,
  { sealed }: DoctorFlags,
  exam: Examination,
  checked: Checked,
): Promise<void> {
  checked.store = placeOf(target)
  const database = await INSPECTORS[target.database](target, exam)
  try {
    checked.version = database.version
    Object.assign(checked, await measure(database, exam))
    if (database.hasRows) await examineRows(target, exam, sealed === true)
    else exam.skip(['rows/*'], 'the rows cannot be read before the findings above are mended')
  } finally {
    await database.close()
  }
}

/** What `--json` prints. */
export interface Report extends Checked, Pick<Examination, 'findings' | 'passed' | 'skipped' | 'ignored'> {
  healthy: boolean
}

/** Returns what `--json` prints. */
export function toReport({ findings, passed, skipped, ignored }: Examination, checked: Checked): Report {
  const healthy = findings.length === 0 && checked.failures.length === 0
  return { healthy, ...checked, findings, passed, skipped, ignored }
}

async function printText(exam: Examination, checked: Checked): Promise<void> {
  const { store, version, site, latency, failures } = checked
  if (store !== undefined) await print(store)
  if (version !== undefined) await print(`${version}, answers within ${latency?.toFixed(1)} ms`)
  if (site !== undefined) await print(site)
  await print('')
  for (const { id, severity, message, fix } of bySeverity(exam.findings)) {
    await print(`${severity.toUpperCase()} ${id}`)
    await print(`  ${message}`)
    await print(`  ${fix}`)
  }
  for (const { id, reason } of exam.skipped) await print(`not checked: ${id} (${reason})`)
  for (const id of exam.ignored) await print(`ignored: ${id}`)
  for (const failure of failures) await print(`FAILED ${failure}`)
  if (exam.findings.length > 0) await print(`${exam.findings.length} findings in ${countOf(exam)} checks.`)
  else if (failures.length === 0) await print(`Healthy: ${countOf(exam)} checks found nothing.`)
}

const countOf = ({ passed, findings, ignored }: Examination): number =>
  passed.length + findings.length + ignored.length

const bySeverity = (findings: readonly Finding[]): Finding[] => [
  ...findings.filter(({ severity }) => severity === 'error'),
  ...findings.filter(({ severity }) => severity === 'warning'),
]
