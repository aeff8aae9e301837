import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

interface Manifest {
  name: string
  version: string
  private?: boolean
  peerDependencies?: Record<string, string>
}

const root = join(import.meta.dirname, '..')
const read = (...path: string[]): Manifest => JSON.parse(readFileSync(join(...path, 'package.json'), 'utf8'))
const published = globSync('packages/*', { cwd: root })
  .map((folder) => ({ folder: join(root, folder), ...read(root, folder) }))
  .filter((manifest) => !manifest.private && manifest.peerDependencies)

describe.each(published)('$name', ({ folder, peerDependencies = {} }) => {
  test.each(Object.entries(peerDependencies))('accepts %s up to the tested major version', (name, range) => {
    const [, least, next] = /^>=(\d+)[\d.]* <(\d+)$/.exec(range)!.map(Number)
    const tested = Number.parseInt(read(folder, 'node_modules', name).version, 10)
    expect(next).toBe(tested + 1)
    expect(least).toBeLessThanOrEqual(tested)
  })
})
