import { run } from './run.ts'

export interface Span {
  readonly lowest: string
  readonly newest: string
  /** The lowest in the range, where `lowest` is not: it has a binary that must be downloaded or built. */
  readonly unavailable: string | undefined
}

interface Published {
  version: string
  /** It fetches or builds something at its installation. */
  'scripts.install'?: string
  /** For packages of types: the oldest compiler that reads it. */
  typeScriptVersion?: string
}

/** The versions that npm has in the range, the lowest first, without prereleases. */
async function published(name: string, range: string): Promise<Published[]> {
  const fields = ['version', 'scripts.install', 'typeScriptVersion']
  const answer = JSON.parse(await run('.', 'npm', ['view', `${name}@${range}`, ...fields, '--json']))
  const found: (string | Published)[] = [answer].flat()
  return found
    .map((one) => (typeof one === 'string' ? { version: one } : one))
    .sort((a, b) => compareVersions(a.version, b.version))
}

/** The ends of the range, as far as they install without running a script. */
export async function spanOf(name: string, range: string): Promise<Span> {
  const all = await published(name, range)
  const available = all.filter((one) => one['scripts.install'] === undefined)
  const [first, lowest, newest] = [all[0], available[0], available.at(-1)]
  if (first === undefined || lowest === undefined || newest === undefined)
    throw new Error(`npm has no version of ${name} in ${range} that can be installed here`)
  return {
    lowest: lowest.version,
    newest: newest.version,
    unavailable: first === lowest ? undefined : first.version,
  }
}

/** The newest version of a package of types that this compiler reads, such as `5.4`. */
export async function newestTypesFor(compiler: string, name: string, range: string): Promise<string> {
  const all = await published(name, range)
  const fitting = all.filter(
    ({ typeScriptVersion = '0' }) => compareVersions(typeScriptVersion, compiler) <= 0,
  )
  const newest = fitting.at(-1)
  if (newest === undefined) throw new Error(`no version of ${name} is for TypeScript ${compiler}`)
  return newest.version
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number))
  for (let i = 0; i < 3; i++) {
    const difference = (left![i] ?? 0) - (right![i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
