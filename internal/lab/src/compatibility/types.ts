import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { databaseIds, databases } from '@session-stores/testbed/databases'
import { install, readPeers, root } from './packages.ts'
import { run } from './run.ts'
import { newestTypesFor, spanOf } from './versions.ts'

/** The oldest compiler that the declarations support. */
const OLDEST = '5.4'

/** pg's declarations depend on this package, whose later versions need a newer compiler. */
const OLD_PG = { 'pg-protocol': '1.14.0' }

/** Applications in `test/consumer`, which are compiled as CommonJS and as ES modules. */
const PROGRAMS = ['any-compiler', 'layers', 'node-redis']

/** A compiler, the packages that it compiles against, and the settings to try. */
export interface TypeCheck {
  readonly title: string
  readonly folder: string
  readonly dependencies: Record<string, string>
  readonly overrides?: Record<string, string>
  readonly settings: readonly (readonly string[])[]
}

/** Modules as a bundler takes them: `import` and `require` side by side. */
const PRESERVE: readonly string[] = ['--module', 'preserve']

/** Separate packages of types, and the versions of the clients' types. */
const TYPES = { '@types/pg': '>=8.11 <9', '@types/better-sqlite3': '>=7.6' }

function readCatalogVersion(name: string): string {
  const manifest = join(root, 'node_modules', name, 'package.json')
  return JSON.parse(readFileSync(manifest, 'utf8')).version
}

async function clientsAt(end: 'lowest' | 'newest'): Promise<Record<string, string>> {
  const entries = databaseIds.map(async (database) => {
    const { client } = databases[database]
    const span = await spanOf(client, readPeers(database)[client]!)
    return [client, span[end]] as const
  })
  const { redis } = readPeers('redis')
  entries.push(spanOf('redis', redis!).then((span) => ['redis', span[end]] as const))
  return Object.fromEntries(await Promise.all(entries))
}

/**
 * Returns the checks: the oldest compiler with the oldest and with the newest clients, and the
 * newest compiler with the newest clients.
 */
export async function typeChecks(packed: Record<string, string>): Promise<TypeCheck[]> {
  const sessions = await spanOf('express-session', readPeers('core')['express-session']!)
  const ofSessions = readPeers('core')['@types/express-session']!
  const findTypes = async (name: string, range: string) =>
    [name, await newestTypesFor(OLDEST, name, range)] as const
  const oldTypes = Object.fromEntries(
    await Promise.all([
      findTypes('@types/node', '>=22 <25'),
      findTypes('@types/express-session', ofSessions),
      findTypes('@types/express', readPeers('express')['@types/express']!),
      ...Object.entries(TYPES).map(([name, range]) => findTypes(name, range)),
    ]),
  )
  const newTypes = Object.fromEntries(
    ['@types/node', '@types/express-session', '@types/express', ...Object.keys(TYPES)].map((name) => [
      name,
      readCatalogVersion(name),
    ]),
  )
  const modules = [
    ['--module', 'nodenext'],
    ['--module', 'commonjs'],
  ]
  const withAndWithout = modules.flatMap((module) => [
    [...module, '--esModuleInterop', 'true'],
    [...module, '--esModuleInterop', 'false'],
  ])
  const old = { ...packed, ...oldTypes, typescript: OLDEST }
  return [
    {
      title: `TypeScript ${OLDEST}, lowest clients`,
      folder: 'types-oldest',
      dependencies: { ...old, ...(await clientsAt('lowest')), 'express-session': sessions.lowest },
      overrides: OLD_PG,
      settings: [...withAndWithout, PRESERVE],
    },
    {
      title: `TypeScript ${OLDEST}, newest clients`,
      folder: 'types-old',
      dependencies: { ...old, ...(await clientsAt('newest')), 'express-session': sessions.newest },
      overrides: OLD_PG,
      // The check above tries all four settings. These two settings differ in both options.
      settings: [withAndWithout[0]!, withAndWithout[3]!],
    },
    {
      title: `TypeScript ${readCatalogVersion('typescript')}, newest clients`,
      folder: 'types-new',
      dependencies: {
        ...packed,
        ...newTypes,
        ...(await clientsAt('newest')),
        'express-session': sessions.newest,
        typescript: readCatalogVersion('typescript'),
      },
      // The newest TypeScript can neither disable esModuleInterop nor resolve modules as Node 10
      // did.
      settings: [modules[0]!, [...modules[1]!, '--moduleResolution', 'bundler'], PRESERVE],
    },
  ]
}

/** Compiles an application that uses every store. Rejects with the output of the compiler. */
export async function checkTypes(temporary: string, check: TypeCheck): Promise<void> {
  const folder = join(temporary, check.folder)
  await install(folder, check.dependencies, check.overrides)
  for (const name of PROGRAMS)
    for (const file of [`${name}.cts`, `${name}.ts`])
      cpSync(join(root, 'test/consumer', `${name}.cts`), join(folder, file))
  for (const setting of check.settings) await compile(folder, setting)
}

function compile(folder: string, setting: readonly string[]): Promise<string> {
  // The types of node-redis import CommonJS modules as ES modules do.
  const programs = setting.includes('false') ? PROGRAMS.slice(0, -1) : PROGRAMS
  return run(folder, 'node_modules/.bin/tsc', [
    ...setting,
    ...['--noEmit', '--target', 'es2022', '--types', 'node', '--strict'],
    ...['--exactOptionalPropertyTypes', 'true', '--skipLibCheck', 'false'],
    ...programs.flatMap((name) => [`${name}.ts`, `${name}.cts`]),
  ])
}

/** Lists the versions of a check, without this project's packages. */
export const listVersions = ({ dependencies, overrides }: TypeCheck): string =>
  Object.entries({ ...dependencies, ...overrides })
    .filter(([name]) => !name.startsWith('@session-stores/') && name !== 'typescript')
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
