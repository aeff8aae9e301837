import { type ErrorReason, isError, SessionStoreError } from '@session-stores/core'

/** By SQLSTATE. See the PostgreSQL manual, appendix A. The first match counts. */
const reasons: readonly ErrorReason[] = [
  [/^28|^42501/, 'ACCESS_DENIED', 'PostgreSQL refused the credentials, or the role lacks a right'],
  [/^25006/, 'READ_ONLY', 'PostgreSQL takes no writes'],
  [/^53[12]00/, 'STORAGE_FULL', 'PostgreSQL is out of disk or memory'],
  [/^3D000/, 'UNAVAILABLE', 'the PostgreSQL database does not exist'],
  [/^(08|53|57P)/, 'UNAVAILABLE', 'PostgreSQL cannot serve the call now'],
  [
    /^(57014|55P03|25P0[34])/,
    'TIMEOUT',
    'PostgreSQL cancelled the call, because of its own timeout or at the request of another client',
  ],
  [
    /^(42P05|26000)/,
    'BACKEND',
    "a pooler mixed up prepared statements: set the option 'namedStatements' to false",
  ],
  // Every statement fits the driver's own table, so the table is another one or is missing.
  [/^(3F|42|23)/, 'BAD_STORAGE', "the table or its schema is missing, or the table is not this store's"],
  // The driver's own statements divide by zero where they come too late.
  [/^22012/, 'UNAVAILABLE', 'the call reached PostgreSQL too late and did nothing'],
  // Keys and payloads are ASCII, so only the `after` of a list can be a text that is refused.
  [/^22/, 'INVALID_QUERY', "'after' must be a 'next' that list returned"],
  [/^54/, 'PAYLOAD_TOO_LARGE', 'the sessions are larger than PostgreSQL takes'],
]

/**
 * Whether PostgreSQL rolled the statement back because of a conflict with others, so that the same
 * statement may be sent again.
 */
export function isRace(error: unknown): boolean {
  return /^40(001|P01)$/.test(stateOf(error))
}

/** Whether the connection has forgotten a named statement, which therefore never ran. */
export function isForgotten(error: unknown): boolean {
  return stateOf(error) === '26000'
}

/** Whether the statement came after its latest time, and therefore did nothing. */
export function isLate(error: unknown): boolean {
  return stateOf(error) === '22012'
}

/** Whether the connection ended before the answer came: the server ended it, or the network did. */
export function isBroken(error: unknown): boolean {
  const state = stateOf(error)
  if (state !== '' || !isError(error)) return /^57P0[12]$/.test(state)
  const { syscall } = error as NodeJS.ErrnoException
  return /^(read|write)/.test(syscall ?? '') || /^Connection terminated|not queryable$/.test(error.message)
}

/** Whether the error alone shows that no connection could be made. */
export function isConnectFailure(error: unknown): boolean {
  const { severity, syscall, errors, message } = error as {
    severity?: unknown
    syscall?: unknown
    errors?: { syscall?: unknown }[]
    message?: unknown
  }
  if (severity === 'FATAL') return /^(28|3D000|53300|57P03)/.test(stateOf(error))
  // A host with several addresses fails with one error for each address.
  const call = syscall ?? errors?.[0]?.syscall
  return call === 'connect' || call === 'getaddrinfo' || /connection timeout$/.test(String(message))
}

/** Whether the server sent the error, in answer to a statement or to an attempt to connect. */
export function isAnswer(error: unknown): boolean {
  return stateOf(error) !== ''
}

/**
 * Turns an error of pg into a `SessionStoreError`, and removes from it what quotes rows and
 * parameters. Returns an error as it is where the driver knows no better reason.
 */
export function toStoreError(error: unknown): unknown {
  if (!isError(error)) return error
  for (const field of ['detail', 'where', 'internalQuery', 'client'])
    delete (error as unknown as Record<string, unknown>)[field]
  const state = stateOf(error)
  const reason = reasons.find(([pattern]) => pattern.test(state))
  if (reason) return new SessionStoreError(reason[1], reason[2], error)
  if (state !== '') return error
  if (error.message.startsWith('SASL'))
    return new SessionStoreError('ACCESS_DENIED', 'PostgreSQL refused the credentials', error)
  if (error.message === 'Query read timeout')
    return new SessionStoreError('TIMEOUT', 'PostgreSQL gave no answer in time', error)
  return new SessionStoreError('UNAVAILABLE', 'PostgreSQL cannot be reached', error)
}

/** Returns the SQLSTATE, or an empty text where the error is pg's own or the system's. */
function stateOf(error: unknown): string {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  return typeof code === 'string' && severity !== undefined ? code : ''
}
