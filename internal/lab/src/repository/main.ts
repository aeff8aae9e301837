/**
 * Writes where the repository is into all published packages: the fields `author`, `homepage`,
 * `repository` and `bugs`, and the links of their READMEs, which npm shows without the repository.
 * Without a URL it takes the one in the manifest of the root.
 *
 *     npx -y pnpm@12 repository [https://github.com/owner/name]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  fieldsOf,
  type Home,
  type Manifest,
  publishedFolders,
  readHome,
  readManifest,
  root,
  withAbsoluteLinks,
  withFields,
} from './published.ts'

const before = readHome()
const [home = before] = process.argv.slice(2) as [Home?]
if (!/^https:\/\/[^/]+\/[^/]+\/[^/]+[^/.]$/.test(home)) {
  process.stderr.write('Give the address of the repository, such as https://github.com/owner/name.\n')
  process.exit(2)
}

const write = (path: string, manifest: Manifest): void =>
  writeFileSync(join(root, path), `${JSON.stringify(manifest, null, 2)}\n`)

const whole = readManifest('package.json')
write('package.json', { ...whole, repository: { type: 'git', url: `git+${home}.git` } })
for (const folder of publishedFolders) {
  const path = `${folder}/package.json`
  write(path, withFields(readManifest(path), fieldsOf(home, folder)))
  const readme = join(root, folder, 'README.md')
  const page = readFileSync(readme, 'utf8').replaceAll(`${before}/`, `${home}/`)
  writeFileSync(readme, withAbsoluteLinks(page, home, folder))
}
