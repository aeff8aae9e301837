import type { Mutant } from './helpers.ts'

export const httpMatrix: Readonly<Record<string, Mutant>> = {
  'http/matrix/change-only-max-age-of-an-existing-session': () => ({ touch: undefined }),
}
