import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** The folder of the repository. */
export const root: string = join(import.meta.dirname, '../../../..')

/** A `package.json`, with its keys in the order of the file. */
export type Manifest = Record<string, unknown> & { name: string }

/** Where the repository is on the web, without a slash at the end. */
export type Home = `https://${string}`

const AUTHOR = 'The Session Stores authors'

export const readManifest = (path: string): Manifest => JSON.parse(readFileSync(join(root, path), 'utf8'))

/** The folders of all published packages, such as `packages/redis`. */
export const publishedFolders: readonly string[] = globSync('packages/*/package.json', { cwd: root })
  .filter((path) => readManifest(path).private !== true)
  .map(dirname)
  .sort()

/** Returns where the repository is, from the manifest of the root, where it is written once. */
export function readHome(): Home {
  const { repository } = readManifest('package.json') as { repository?: { url: string } }
  return repository?.url.replace(/^git\+/, '').replace(/\.git$/, '') as Home
}

/** Returns the fields that npm shows of a package, and compares with the provenance of a release. */
export function fieldsOf(home: Home, folder: string): Record<string, unknown> {
  return {
    author: AUTHOR,
    homepage: `${home}/tree/main/${folder}#readme`,
    repository: { type: 'git', url: `git+${home}.git`, directory: folder },
    bugs: `${home}/issues`,
  }
}

/** Returns the manifest with these fields behind its licence. */
export function withFields(manifest: Manifest, fields: Record<string, unknown>): Manifest {
  const others = Object.entries(manifest).filter(([key]) => !(key in fields))
  const after = others.findIndex(([key]) => key === 'license') + 1
  return Object.fromEntries([
    ...others.slice(0, after),
    ...Object.entries(fields),
    ...others.slice(after),
  ]) as Manifest
}

/** The target of a link of Markdown, and of an HTML tag. */
const LINK = /(\]\(|\b(?:href|src)=")([^)\s"]+)/g

/** Returns the targets of all links of a page. */
export const linksOf = (page: string): string[] => [...page.matchAll(LINK)].map(([, , target]) => target!)

export const isAbsolute = (target: string): boolean => /^([a-z]+:|#)/i.test(target)

/**
 * Returns the page with absolute links, because npm shows a README without the files around it.
 * Links to packages lead to npm, and others to the repository.
 */
export function withAbsoluteLinks(page: string, home: Home, folder: string): string {
  return page.replace(LINK, (link, before: string, target: string) =>
    isAbsolute(target) ? link : before + toAbsolute(target, home, folder),
  )
}

function toAbsolute(target: string, home: Home, folder: string): string {
  const [path, hash] = target.split('#') as [string, string?]
  const anchor = hash === undefined ? '' : `#${hash}`
  const place = normalize(join(folder, path)).replace(/\/$/, '')
  if (place === 'README.md') return home + (anchor || '#readme')
  if (publishedFolders.includes(place))
    return `https://www.npmjs.com/package/${readManifest(`${place}/package.json`).name}${anchor}`
  const kind = statSync(join(root, place)).isDirectory() ? 'tree' : 'blob'
  return `${home}/${kind}/main/${place}${anchor}`
}

/** Whether a link to this repository or to one of its packages leads to something that is there. */
export function isThere(target: string, home: Home): boolean {
  const [, place] = target.slice(home.length).match(/^\/(?:blob|tree)\/main\/([^#]+)/) ?? []
  if (target.startsWith(`${home}/`)) return place === undefined || existsSync(join(root, place))
  const [, name] =
    target.match(/^https:\/\/www\.npmjs\.com\/package\/((?:@session-stores\/|session-stores)[^#]*)/) ?? []
  return (
    name === undefined ||
    publishedFolders.some((folder) => readManifest(`${folder}/package.json`).name === name)
  )
}
