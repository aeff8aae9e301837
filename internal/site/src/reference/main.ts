/**
 * Writes docs/reference/options.md from the docstrings of the options.
 *
 *     npx -y pnpm@12 reference
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../pages.ts'
import { writeReference } from './write.ts'

const file = join(root, 'docs/reference/options.md')
mkdirSync(dirname(file), { recursive: true })
writeFileSync(file, writeReference())
