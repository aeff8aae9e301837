import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLIENTS, install, peersOf, root } from './packages.ts'
import { run } from './run.ts'
import { newestTypesFor, spanOf } from './versions.ts'

/** The oldest compiler that the declarations are for. */
const OLDEST = '5.4'

/** What pg's declarations are made of; those of later versions need a newer compiler. */
const OLD_PG = { 'pg-protocol': '1.14.0' }

/** A compiler, the packages that it reads, and the ways in which it is asked to. */
export interface TypeCheck {
  readonly title: string
  readonly folder: string
  readonly dependencies: Record<string, string>
  readonly overrides?: Record<string, string>
  readonly settings: readonly (readonly string[])[]
}

/** Package by package, what the types of a dependency without its own are for. */
const TYPES = { '@types/pg': '>=8.11 <9', '@types/better-sqlite3': '>=7.6' }

function catalogVersionOf(name: string): string {
  const manifest = join(root, 'node_modules', name, 'package.json')
  return JSON.parse(readFileSync(manifest, 'utf8')).version
}

async function clientsAt(end: 'lowest' | 'newest'): Promise<Record<string, string>> {
  const entries = Object.entries(CLIENTS).map(async ([database, client]) => {
    const span = await spanOf(client, peersOf(database)[client]!)
    return [client, span[end]] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** What is to be checked: the oldest compiler on the oldest and the newest clients, the newest on the newest. */
export async function typeChecks(packed: Record<string, string>): Promise<TypeCheck[]> {
  const sessions = await spanOf('express-session', peersOf('core')['express-session']!)
  const ofSessions = peersOf('core')['@types/express-session']!
  const fitting = async (name: string, range: string) =>
    [name, await newestTypesFor(OLDEST, name, range)] as const
  const oldTypes = Object.fromEntries(
    await Promise.all([
      fitting('@types/node', '>=22 <25'),
      fitting('@types/express-session', ofSessions),
      ...Object.entries(TYPES).map(([name, range]) => fitting(name, range)),
    ]),
  )
  const newTypes = Object.fromEntries(
    ['@types/node', '@types/express-session', ...Object.keys(TYPES)].map((name) => [
      name,
      catalogVersionOf(name),
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
      settings: withAndWithout,
    },
    {
      title: `TypeScript ${OLDEST}, newest clients`,
      folder: 'types-old',
      dependencies: { ...old, ...(await clientsAt('newest')), 'express-session': sessions.newest },
      overrides: OLD_PG,
      // All four ways are above; these two have nothing in common.
      settings: [withAndWithout[0]!, withAndWithout[3]!],
    },
    {
      title: `TypeScript ${catalogVersionOf('typescript')}, newest clients`,
      folder: 'types-new',
      dependencies: {
        ...packed,
        ...newTypes,
        ...(await clientsAt('newest')),
        'express-session': sessions.newest,
        typescript: catalogVersionOf('typescript'),
      },
      // It has no esModuleInterop to turn off, and resolves no modules as Node 10 did.
      settings: [modules[0]!, [...modules[1]!, '--moduleResolution', 'bundler']],
    },
  ]
}

/** Compiles an application that uses every store; rejects with what the compiler says. */
export async function checkTypes(temporary: string, check: TypeCheck): Promise<void> {
  const folder = join(temporary, check.folder)
  await install(folder, check.dependencies, check.overrides)
  for (const file of ['any-compiler.cts', 'any-compiler.ts']) {
    cpSync(join(root, 'test/consumer/any-compiler.cts'), join(folder, file))
  }
  for (const setting of check.settings) await compile(folder, setting)
}

function compile(folder: string, setting: readonly string[]): Promise<string> {
  return run(folder, 'node_modules/.bin/tsc', [
    ...setting,
    ...['--noEmit', '--target', 'es2022', '--types', 'node', '--strict'],
    ...['--exactOptionalPropertyTypes', 'true', '--skipLibCheck', 'false'],
    ...['any-compiler.ts', 'any-compiler.cts'],
  ])
}

/** The versions that it was checked with, without the packages themselves. */
export const versionsOf = ({ dependencies, overrides }: TypeCheck): string =>
  Object.entries({ ...dependencies, ...overrides })
    .filter(([name]) => !name.startsWith('@session-stores/') && name !== 'typescript')
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
