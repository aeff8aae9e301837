export interface Credentials {
  name: string
  password: string
}

const NAME_LENGTH = 64
const PASSWORD_LENGTH = { min: 8, max: 256 }

/** What a form sent, in Unicode's form NFKC: keyboards differ in how they compose a character. */
export function readCredentials(body: { name?: unknown; password?: unknown } = {}): Credentials {
  const { name = '', password = '' } = body
  return { name: `${name}`.normalize('NFKC').trim(), password: `${password}`.normalize('NFKC') }
}

/** Why nobody can sign up with these credentials, as a sentence for the page. */
export function findProblem({ name, password }: Credentials): string | undefined {
  return findNameProblem(name) ?? findPasswordProblem(password)
}

export function findNameProblem(name: string): string | undefined {
  if (name === '') return 'Choose a name.'
  if (countCharacters(name) > NAME_LENGTH) return `The name can have at most ${NAME_LENGTH} characters.`
  // SQLite compares names only up to a NUL where case does not matter.
  if (/\p{Cc}/u.test(name)) return 'The name can have no control characters.'
}

function findPasswordProblem(password: string): string | undefined {
  const length = countCharacters(password)
  if (length < PASSWORD_LENGTH.min) return `The password needs at least ${PASSWORD_LENGTH.min} characters.`
  if (length > PASSWORD_LENGTH.max) return `The password can have at most ${PASSWORD_LENGTH.max} characters.`
}

/** Code points, as NIST SP 800-63B counts the characters of a password. */
function countCharacters(text: string): number {
  return [...text].length
}
