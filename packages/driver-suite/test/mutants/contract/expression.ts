import { changeWrites, type Mutant } from './helpers.ts'

export const expression: Readonly<Record<string, Mutant>> = {
  'contract/expression/text-that-reads-like-an-expression-is-text': changeWrites((write, row) =>
    write.expect === '$tag' ? { ...write, expect: row?.tag } : write,
  ),
}
