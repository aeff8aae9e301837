import { type Mutant, writing } from './helpers.ts'

export const expression: Readonly<Record<string, Mutant>> = {
  'contract/expression/text-that-reads-like-an-expression-is-text': writing((write, row) =>
    write.expect === '$tag' ? { ...write, expect: row?.tag } : write,
  ),
}
