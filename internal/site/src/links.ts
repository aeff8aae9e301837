import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'
import { linkTo, listPages, root } from './pages.ts'

/**
 * Links between the Markdown files of the repository, which lead from file to file there, as links
 * between the pages of the site.
 */

/** Where the files of the repository can be read, or `undefined` while no package says so. */
const repository = ((): string | undefined => {
  const manifest = JSON.parse(readFileSync(join(root, 'packages/core/package.json'), 'utf8'))
  const url: string | undefined = manifest.repository?.url ?? manifest.repository
  return url?.replace(/^git\+/, '').replace(/\.git$/, '')
})()

/** Returns the page that stands for a file or folder of the repository. */
function findPage(path: string, pages: readonly string[]): string | undefined {
  if (path === 'README.md' || path === '') return 'docs/index.md'
  if (pages.includes(path)) return path
  const isFolder = existsSync(join(root, path)) && statSync(join(root, path)).isDirectory()
  if (!isFolder) return undefined
  const readme = join(path, 'README.md')
  return pages.includes(readme) ? readme : pages.find((page) => page.startsWith(`${path}/`))
}

/**
 * Returns the file or folder that an address on the web stands for. The READMEs of packages have such
 * links, because npm shows them without the files around them.
 */
function findOwn(address: string): string | undefined {
  const [, name] = /^https:\/\/www\.npmjs\.com\/package\/@session-stores\/([^/]+)$/.exec(address) ?? []
  if (name !== undefined) return `packages/${name}`
  if (repository === undefined || !address.startsWith(`${repository}/`)) return undefined
  return /^(?:blob|tree)\/main\/(.+?)\/?$/.exec(address.slice(repository.length + 1))?.[1]
}

/**
 * Returns the address for a link in a file of the repository, or `null` where the link leads to a
 * file that is no page and the address of the repository is not known.
 *
 * @throws Error if the file does not exist
 */
export function resolveLink(file: string, href: string): string | null {
  const [, target, hash] = /^([^#]*)(.*)$/.exec(href)!
  const own = findOwn(target!)
  if (own === undefined && /^[a-z]+:|^#|^\//.test(href)) return href
  const path = own ?? relative(root, join(root, dirname(file), decodeURI(target!))).replace(/\/$/, '')
  const page = findPage(path, listPages())
  if (page !== undefined) return linkTo(page) + hash
  if (!existsSync(join(root, path))) throw new Error(`${file} links to ${href}, which does not exist`)
  return repository === undefined ? null : `${repository}/blob/main/${path}${hash}`
}

/** Changes the links of each page for the site. A plugin of markdown-it. */
export function repositoryLinks(md: MarkdownRenderer): void {
  md.core.ruler.push('repository-links', ({ tokens, env }) => {
    const file = relative(root, env.realPath ?? env.path)
    for (const { children } of tokens) {
      const isDropped: boolean[] = []
      for (const token of children ?? []) {
        if (token.type === 'link_open') {
          const href = resolveLink(file, token.attrGet('href')!)
          isDropped.push(href === null)
          if (href === null) token.type = 'link_dropped'
          else token.attrSet('href', href)
        } else if (token.type === 'link_close' && isDropped.pop()) token.type = 'link_dropped'
      }
    }
  })
  md.renderer.rules.link_dropped = () => ''
}
