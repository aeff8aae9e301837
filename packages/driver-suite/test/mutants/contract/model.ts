import { listing, type Mutant } from './helpers.ts'

export const model: Readonly<Record<string, Mutant>> = {
  'contract/model/agrees-with-the-reference-driver': listing((keys) => keys.filter((key) => key !== 'c')),
}
