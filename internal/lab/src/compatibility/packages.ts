import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.ts'

export const root: string = join(import.meta.dirname, '../../../..')

/** Returns the peer dependencies of a package in `packages/`. */
export function readPeers(name: string): Record<string, string> {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).peerDependencies
}

/**
 * Builds the packages and packs them into the folder as they are published. Returns dependencies on
 * the tarballs.
 */
export async function pack(names: readonly string[], folder: string): Promise<Record<string, string>> {
  await run(root, 'npx', ['-y', 'pnpm@12', 'build'])
  const packed: Record<string, string> = {}
  for (const name of names) {
    const file = join(folder, `${name}.tgz`)
    await run(join(root, 'packages', name), 'npx', ['-y', 'pnpm@12', 'pack', '--out', file])
    packed[`@session-stores/${name}`] = `file:${file}`
  }
  return packed
}

/**
 * Creates an application with these dependencies and installs them. `overrides` are versions of
 * indirect dependencies.
 */
export async function install(
  folder: string,
  dependencies: Record<string, string>,
  overrides: Record<string, string> = {},
): Promise<void> {
  mkdirSync(folder)
  const manifest = { private: true, type: 'module', dependencies, overrides }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
  await run(folder, 'npm', ['install', ...options])
}
