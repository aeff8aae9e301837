import { join } from 'node:path'
import validateLinks from 'remark-validate-links'

/**
 * How the links between the Markdown files of the repository are checked, with their headings. The
 * READMEs of packages name these files by their URLs.
 */
const options = { repository: 'session-stores/session-stores', root: join(import.meta.dirname, '../..') }

export default { plugins: [[validateLinks, options]] }
