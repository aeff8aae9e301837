import { isError, SessionStoreError, type SessionStoreErrorCode } from '@session-stores/core'

/** By SQLSTATE; see the PostgreSQL manual, appendix A. */
const reasons: readonly (readonly [state: RegExp, code: SessionStoreErrorCode, message: string])[] = [
  [/^28|^42501/, 'ACCESS_DENIED', 'PostgreSQL wants other credentials or rights'],
  [/^25006/, 'READ_ONLY', 'PostgreSQL takes no writes'],
  [/^53[12]00/, 'STORAGE_FULL', 'PostgreSQL is out of disk or memory'],
  [/^3D000/, 'UNAVAILABLE', 'the PostgreSQL database does not exist'],
  [/^(08|53|57P)/, 'UNAVAILABLE', 'PostgreSQL cannot answer now'],
  [
    /^(57014|55P03|25P0[34])/,
    'TIMEOUT',
    'PostgreSQL ended the call: its own timeout, or somebody, cancelled it',
  ],
  [/^(42P05|26000)/, 'BACKEND', "a pooler mixes prepared statements up: set 'namedStatements' to false"],
  // Every statement is right for the driver's own table: it must be another one, or none any more.
  [/^(3F|42|23)/, 'BAD_STORAGE', "the table, or its schema, is not this store's, or missing"],
  // The driver's own statements divide by zero where they come too late.
  [/^22012/, 'UNAVAILABLE', 'PostgreSQL got to the call too late, and did nothing'],
  // Keys and payloads are ASCII: only the `after` of a list can be what a text in PostgreSQL cannot.
  [/^22/, 'INVALID_QUERY', 'after must be what list returned as next'],
  [/^54/, 'PAYLOAD_TOO_LARGE', 'the sessions are larger than PostgreSQL takes'],
]

/** Whether the statement lost to others: PostgreSQL rolled it back, and it may be sent again. */
export function isRace(error: unknown): boolean {
  return /^40(001|P01)$/.test(stateOf(error))
}

/** Whether the connection has forgotten a named statement, which therefore never ran. */
export function isForgotten(error: unknown): boolean {
  return stateOf(error) === '26000'
}

/** Whether a statement came after its latest time, and therefore did nothing. */
export function isLate(error: unknown): boolean {
  return stateOf(error) === '22012'
}

/** Whether no connection could be made, as far as the error alone tells. */
export function isConnectFailure(error: unknown): boolean {
  const { severity, syscall, errors, message } = error as {
    severity?: unknown
    syscall?: unknown
    errors?: { syscall?: unknown }[]
    message?: unknown
  }
  if (severity === 'FATAL') return /^(28|3D000|53300|57P03)/.test(stateOf(error))
  // A host with several addresses fails with an error for each.
  const call = syscall ?? errors?.[0]?.syscall
  return call === 'connect' || call === 'getaddrinfo' || /connection timeout$/.test(String(message))
}

/** Whether the error came from the server, in answer to a statement or to a wish to connect. */
export function isAnswer(error: unknown): boolean {
  return stateOf(error) !== ''
}

export function explained(error: unknown): unknown {
  if (!isError(error)) return error
  // They quote rows and parameters.
  for (const field of ['detail', 'where', 'internalQuery', 'client'])
    delete (error as unknown as Record<string, unknown>)[field]
  const state = stateOf(error)
  const reason = reasons.find(([pattern]) => pattern.test(state))
  if (reason) return new SessionStoreError(reason[1], reason[2], error)
  if (state !== '') return error
  if (error.message.startsWith('SASL'))
    return new SessionStoreError('ACCESS_DENIED', 'PostgreSQL wants other credentials', error)
  if (error.message === 'Query read timeout')
    return new SessionStoreError('TIMEOUT', 'PostgreSQL gave no answer', error)
  return new SessionStoreError('UNAVAILABLE', 'PostgreSQL cannot be reached', error)
}

/** The SQLSTATE; empty where the error is the client's own, or the system's. */
function stateOf(error: unknown): string {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  return typeof code === 'string' && severity !== undefined ? code : ''
}
