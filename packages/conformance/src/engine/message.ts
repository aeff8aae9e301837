import { AssertionError } from 'node:assert'
import { inspect, stripVTControlCharacters } from 'node:util'

/** What a store threw, whatever it is, as text for a report. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error)
  // Where no address of several answers, the error itself says nothing.
  const { message, name } = error instanceof AggregateError ? (error.errors[0] ?? error) : error
  const text = error instanceof AssertionError || name === 'Error' ? message : `${name}: ${message}`
  return stripVTControlCharacters(text || name)
}
