import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, test } from 'vitest'
import { checkGuide, writeGuides } from './support/guides.ts'

// The programs find the packages of this repository from a folder inside it.
const parent = join(import.meta.dirname, '.guides')
mkdirSync(parent, { recursive: true })
const folder = mkdtempSync(join(parent, 'guides-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each(writeGuides(folder))('the programs of the guide %s run as they stand', (name) =>
  checkGuide(name, folder),
)
