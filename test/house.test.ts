import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

/** How this repository is laid out and written. docs/architecture.md and CONTRIBUTING.md say why. */

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const manifests = globSync(['{packages,internal,examples}/*/package.json', 'benchmarks/package.json'], {
  cwd: root,
})

interface Manifest {
  name: string
  private?: boolean
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

const packages = manifests.map((path) => ({
  folder: dirname(path),
  manifest: JSON.parse(read(path)) as Manifest,
}))
const published = packages.filter(({ manifest }) => !manifest.private)
const sources = globSync(
  [
    '{packages,internal,examples}/*/{src,test,scripts}/**/*.ts',
    'benchmarks/{src,test,independent}/**/*.ts',
    'test/*.ts',
    '*.ts',
  ],
  { cwd: root, exclude: (path) => path.includes('node_modules') },
)

/** Returns the first circle that the arrows of a graph make, or `undefined`. */
function findCircle(arrows: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>()
  function visit(node: string, path: string[]): string[] | undefined {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node]
    if (done.has(node)) return undefined
    for (const next of arrows.get(node) ?? []) {
      const circle = visit(next, [...path, node])
      if (circle) return circle
    }
    done.add(node)
    return undefined
  }
  for (const node of arrows.keys()) {
    const circle = visit(node, [])
    if (circle) return circle
  }
  return undefined
}

/** Returns the paths of the files that a source imports by relative paths, types included. */
function importsOf(path: string): string[] {
  const found = read(path).matchAll(/^(?:import|export)\b[^']*?from '(\.[^']+)'/gms)
  return [...found].map(([, target]) => relative(root, join(root, dirname(path), target!)))
}

test('no packages depend on each other in a circle', () => {
  const names = new Set(packages.map(({ manifest }) => manifest.name))
  const arrows = packages.map(({ manifest: { name, dependencies, devDependencies } }) => {
    const all = Object.keys({ ...dependencies, ...devDependencies })
    return [name, all.filter((other) => names.has(other))] as const
  })
  expect(findCircle(new Map(arrows))).toBeUndefined()
})

test.each(published)('no files of $folder import each other in a circle', ({ folder }) => {
  const files = globSync(`${folder}/src/**/*.ts`, { cwd: root })
  expect(findCircle(new Map(files.map((file) => [file, importsOf(file)])))).toBeUndefined()
})

test('the suite for any store imports nothing of core', () => {
  const files = globSync('packages/conformance/src/**/*.ts', { cwd: root })
  expect(files.length).toBeGreaterThan(30)
  expect(files.filter((file) => /@session-stores\/core|\/core\/src/.test(read(file)))).toEqual([])
})

test.each(['docs/architecture.md', 'docs/add-a-database.md', 'CONTRIBUTING.md'])(
  'every path that %s names exists',
  (document) => {
    const named = [
      ...read(document).matchAll(/`((?:packages|internal|benchmarks|docs|test|examples)\/[^`<>]*)`/g),
    ]
    expect(named.length).toBeGreaterThan(3)
    const missing = named
      .map(([, path]) => path!)
      .filter((path) => globSync(path, { cwd: root }).length === 0)
    expect(missing).toEqual([])
  },
)

test('no line of a comment is longer than 110 characters', () => {
  const long = sources.flatMap((path) =>
    read(path)
      .split('\n')
      .filter((line) => line.length > 110 && /^\s*(\/\/|\/\*|\*)/.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  )
  expect(long).toEqual([])
})

test('no file has more than 300 lines', () => {
  const long = sources.map((path) => [path, read(path).split('\n').length - 1] as const)
  expect(long.filter(([, lines]) => lines > 300)).toEqual([])
})

test("the file that runs a driver's suite has one call, and at most 25 lines", () => {
  const files = globSync('packages/*/test/suite*.test.ts', { cwd: root }).filter((path) =>
    read(path).includes('driverSuite('),
  )
  expect(files.length).toBeGreaterThanOrEqual(4)
  for (const file of files) {
    const text = read(file)
    expect(text.split('\n').length, file).toBeLessThanOrEqual(26)
    expect(text.match(/driverSuite\(/g), file).toHaveLength(1)
  }
})

/** Returns the modules that a package exports. A package that is a command alone has none. */
function entriesOf(folder: string): string[] {
  const { exports } = JSON.parse(read(join(folder, 'package.json'))) as { exports: Record<string, string> }
  return (
    Object.values(exports)
      .filter((path) => path.endsWith('.ts'))
      // Only this workspace has the subpath; it is not published.
      .filter((path) => !path.includes('/outage/'))
      .map((path) => join(folder, path))
  )
}

const libraries = published.filter(({ folder }) => entriesOf(folder).length > 0)
describe.each(libraries)('$manifest.name', ({ folder }) => {
  test.each(entriesOf(folder))('every name that %s exports has a docstring', (entry) => {
    const undocumented = exportsOf(entry).filter(({ name, path }) => !hasDocstring(read(path), name))
    expect(undocumented.map(({ name, path }) => `${name} in ${path}`)).toEqual([])
  })
})

/** Returns the names that a module exports, and the file in which each is declared. */
function exportsOf(entry: string): { name: string; path: string }[] {
  const text = read(entry)
  const declared = [
    ...text.matchAll(/^export (?:abstract |async )?(?:class|const|function|interface|type) (\w+)/gm),
  ]
  const passed = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from '(\.[^']+)'/gms)]
  return [
    ...declared.map(([, name]) => ({ name: name!, path: entry })),
    ...passed.flatMap(([, names, target]) => {
      const path = relative(root, join(root, dirname(entry), target!))
      return names!
        .split(',')
        .map(
          (name) =>
            name
              .trim()
              .replace(/^type /, '')
              .split(' as ')[0]!,
        )
        .filter((name) => name !== '')
        .map((name) => ({ name, path }))
    }),
  ]
}

function hasDocstring(text: string, name: string): boolean {
  const lines = text.split('\n')
  const declaration = new RegExp(
    `^export (?:declare |abstract |async )*(?:class|const|function|interface|type) ${name}\\b`,
  )
  const at = lines.findIndex((line) => declaration.test(line))
  return at > 0 && lines[at - 1]!.trimEnd().endsWith('*/')
}

test('each decision has a number of its own, and a page of it', () => {
  const files = globSync('docs/decisions/*.md', { cwd: root })
    .map((path) => basename(path))
    .sort()
  expect(files.map((file) => Number(file.slice(0, 4)))).toEqual(files.map((_, i) => i + 1))
  const linked = sources.flatMap((path) =>
    [...read(path).matchAll(/docs\/decisions\/([\w-]+\.md)/g)].map(([, file]) => file!),
  )
  expect(linked.filter((file) => !files.includes(file))).toEqual([])
})
