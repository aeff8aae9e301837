import { AssertionError } from 'node:assert'
import { inspect, stripVTControlCharacters } from 'node:util'

/** Returns whatever a store threw as text for a report. */
export function toMessage(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error)
  // Node throws an AggregateError without a message if none of several addresses answers.
  const { message, name } = error instanceof AggregateError ? (error.errors[0] ?? error) : error
  const text = error instanceof AssertionError || name === 'Error' ? message : `${name}: ${message}`
  return stripVTControlCharacters(text || name)
}
