import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import validateLinks from 'remark-validate-links'

const root = join(import.meta.dirname, '../..')
const { repository } = JSON.parse(readFileSync(join(root, 'packages/core/package.json'), 'utf8'))

/**
 * How the links between the Markdown files of the repository are checked, with their headings. The
 * READMEs of packages name these files by their URLs.
 */
export default { plugins: [[validateLinks, { repository: repository.url.replace(/^git\+/, ''), root }]] }
