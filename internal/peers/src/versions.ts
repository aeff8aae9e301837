import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import type { TestServer } from '@session-stores/testbed'

/** What is tested, for reports: installed packages, and the server as it calls itself. */
export function versions(packages: readonly string[], server?: TestServer): Record<string, string> {
  const installed = packages.map((name) => [name, manifest(name).version])
  return Object.fromEntries(server ? [...installed, server.version.split(' ')] : installed)
}

function manifest(name: string): { version: string } {
  const path = findPackageJSON(name, import.meta.url)
  if (!path) throw new Error(`${name} is not installed`)
  return JSON.parse(readFileSync(path, 'utf8'))
}
