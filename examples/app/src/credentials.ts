export interface Credentials {
  name: string
  password: string
}

const NAME_LENGTH = 64
const PASSWORD_LENGTH = { min: 8, max: 256 }

/**
 * Reads the fields of a form and normalizes them to Unicode NFKC, because keyboards differ in how
 * they compose characters.
 */
export function readCredentials(body: { name?: unknown; password?: unknown } = {}): Credentials {
  const { name = '', password = '' } = body
  return { name: `${name}`.normalize('NFKC').trim(), password: `${password}`.normalize('NFKC') }
}

/** Why nobody can sign up with some credentials, as a sentence for the page. */
export interface CredentialsProblem {
  field: keyof Credentials
  problem: string
}

/** Returns why nobody can sign up with these credentials. */
export function findProblem({ name, password }: Credentials): CredentialsProblem | undefined {
  const nameProblem = findNameProblem(name)
  if (nameProblem) return { field: 'name', problem: nameProblem }
  const problem = findPasswordProblem(password)
  return problem ? { field: 'password', problem } : undefined
}

export function findNameProblem(name: string): string | undefined {
  if (name === '') return 'Choose a name.'
  if (countCharacters(name) > NAME_LENGTH) return `The name can have at most ${NAME_LENGTH} characters.`
  // For case-insensitive names, SQLite ignores everything after a NUL character.
  if (/\p{Cc}/u.test(name)) return 'The name can have no control characters.'
}

function findPasswordProblem(password: string): string | undefined {
  const length = countCharacters(password)
  if (length < PASSWORD_LENGTH.min) return `The password needs at least ${PASSWORD_LENGTH.min} characters.`
  if (length > PASSWORD_LENGTH.max) return `The password can have at most ${PASSWORD_LENGTH.max} characters.`
}

/** Counts code points, as NIST SP 800-63B does for passwords. */
function countCharacters(text: string): number {
  return [...text].length
}
