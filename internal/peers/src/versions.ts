import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import type { TestServer } from '@session-stores/testbed'

/** Returns the tested versions for reports: installed packages, and the server's own version. */
export function readVersions(packages: readonly string[], server?: TestServer): Record<string, string> {
  const installed = packages.map((name) => [name, readManifest(name).version])
  return Object.fromEntries(server ? [...installed, server.version.split(' ')] : installed)
}

function readManifest(name: string): { version: string } {
  const path = findPackageJSON(name, import.meta.url)
  if (!path) throw new Error(`${name} is not installed`)
  return JSON.parse(readFileSync(path, 'utf8'))
}
