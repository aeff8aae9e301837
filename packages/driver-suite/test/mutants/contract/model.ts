import { changePages, type Mutant } from './helpers.ts'

export const model: Readonly<Record<string, Mutant>> = {
  'contract/model/agrees-with-the-reference-driver': changePages((keys) => keys.filter((key) => key !== 'c')),
}
