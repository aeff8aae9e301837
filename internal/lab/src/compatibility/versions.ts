import { run } from './run.ts'

export interface Span {
  readonly lowest: string
  readonly newest: string
  /**
   * The lowest version in the range if it cannot be installed because its binary must be downloaded
   * or built.
   */
  readonly unavailable: string | undefined
}

interface Published {
  version: string
  /** The package downloads or builds something when it is installed. */
  'scripts.install'?: string
  /** Only for packages of types: the oldest supported compiler. */
  typeScriptVersion?: string
}

/** Returns all versions in the range from npm in ascending order, without prereleases. */
async function listPublished(name: string, range: string): Promise<Published[]> {
  const fields = ['version', 'scripts.install', 'typeScriptVersion']
  const answer = JSON.parse(await run('.', 'npm', ['view', `${name}@${range}`, ...fields, '--json']))
  const found: (string | Published)[] = [answer].flat()
  return found
    .map((one) => (typeof one === 'string' ? { version: one } : one))
    .sort((a, b) => compareVersions(a.version, b.version))
}

/** Returns the lowest and the newest version in the range that install without running a script. */
export async function spanOf(name: string, range: string): Promise<Span> {
  const all = await listPublished(name, range)
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

/** Returns the newest version of a package of types that supports the compiler, such as `5.4`. */
export async function newestTypesFor(compiler: string, name: string, range: string): Promise<string> {
  const all = await listPublished(name, range)
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
