import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  fieldsOf,
  isAbsolute,
  isThere,
  linksOf,
  publishedFolders,
  readHome,
  readManifest,
  root,
  withAbsoluteLinks,
} from '../internal/lab/src/repository/published.ts'

/** What npm shows of the packages. `npx -y pnpm@12 repository` writes it. */

interface Package {
  name: string
  engines: { node: string }
  keywords: string[]
  license: string
  publishConfig: { access: string; provenance: boolean }
  peerDependencies?: Record<string, string>
}

const home = readHome()

describe.each(publishedFolders)('%s', (folder) => {
  const manifest = readManifest(`${folder}/package.json`) as unknown as Package

  test('says where it comes from, what it is about and what it runs on', () => {
    expect(manifest).toMatchObject(fieldsOf(home, folder))
    expect(manifest.license).toBe('MIT')
    expect(manifest.engines.node).toMatch(/^>=22(\.\d+)?$/)
    expect(manifest.keywords.length).toBeGreaterThan(2)
    expect(manifest.publishConfig).toMatchObject({ access: 'public', provenance: true })
  })

  test('bounds its peers, so that the next major version of a client is not installed untested', () => {
    for (const [name, range] of Object.entries(manifest.peerDependencies ?? {}))
      expect(`${name} ${range}`).toMatch(/ >=\d+(\.\d+)* <\d+$/)
  })

  test('is released together with the others', () => {
    const { fixed } = JSON.parse(readFileSync(join(root, '.changeset/config.json'), 'utf8'))
    expect(fixed).toEqual([expect.arrayContaining([manifest.name])])
  })

  test('has links in its README that lead somewhere on npm, too', () => {
    const links = linksOf(readFileSync(join(root, folder, 'README.md'), 'utf8'))
    expect(links.filter((link) => !isAbsolute(link))).toEqual([])
    expect(links.filter((link) => !isThere(link, home))).toEqual([])
  })
})

test.each([
  ['[a](../../docs/time-limits.md#x)', `[a](${home}/blob/main/docs/time-limits.md#x)`],
  ['[a](../../docs)', `[a](${home}/tree/main/docs)`],
  ['[a](../core)', '[a](https://www.npmjs.com/package/@session-stores/core)'],
  ['[a](../cli#doctor)', '[a](https://www.npmjs.com/package/session-stores#doctor)'],
  ['[a](../../README.md)', `[a](${home}#readme)`],
  ['[a](#options) [b](https://example.com)', '[a](#options) [b](https://example.com)'],
  ['<img src="../../LICENSE">', `<img src="${home}/blob/main/LICENSE">`],
])('%s is made %s', (page, expected) => {
  expect(withAbsoluteLinks(page, home, 'packages/redis')).toBe(expected)
})

test('a link to a file or a package that is not there is found', () => {
  for (const place of [
    `${home}/blob/main/docs/none.md`,
    'https://www.npmjs.com/package/@session-stores/none',
  ])
    expect(isThere(place, home)).toBe(false)
})
