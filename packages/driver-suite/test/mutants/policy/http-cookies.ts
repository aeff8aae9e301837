import { type Mutant, touchCopies } from './helpers.ts'

export const httpCookies: Readonly<Record<string, Mutant>> = {
  'http/cookies/a-change-of-the-cookie-alone-lasts': touchCopies,
}
