import type { Operation } from '../../src/histories/recorder.ts'

/** Makes a call that begins and ends at these milliseconds. */
type MakeCall = (verb: string, at: [begin: number, end: number], more?: Partial<Operation>) => Operation

/**
 * Returns a function that makes calls for the checker, numbered from 0. A call is answered with `ok`
 * unless `more` says otherwise.
 *
 * @param processOf returns the process that makes a call, by the call's number
 */
export function numberCalls(processOf: (number: number) => number): MakeCall {
  let next = 0
  return (verb, at, more = {}) => {
    const number = next++
    return {
      number,
      process: processOf(number),
      call: at[0] * 1000,
      ret: at[1] * 1000,
      from: at[0],
      to: at[1],
      verb,
      answer: 'ok',
      ...more,
    }
  }
}
