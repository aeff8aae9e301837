import { afterAll, test } from 'vitest'
import { checkGuide } from './support/guides.ts'
import { makeFolder, writePages } from './support/pages.ts'

const { folder, remove } = makeFolder('guides')
afterAll(remove)

test.each(writePages('guides', folder))('the programs of the guide $name run as they stand', checkGuide)
