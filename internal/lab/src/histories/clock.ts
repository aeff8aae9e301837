/**
 * A clock of the process that can be set, as an administrator or NTP sets that of a machine: `Date`
 * changes wherever it is used, and the monotonic clocks go on. To be imported before everything else.
 */

let ahead = 0
const RealDate = globalThis.Date
const now = (): number => RealDate.now() + ahead

globalThis.Date = new Proxy(RealDate, {
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length > 0 ? args : [now()], newTarget),
  apply: () => new RealDate(now()).toString(),
})

/** Sets how far the clock is ahead of that of the machine, in milliseconds. */
export function setClockAhead(by: number): void {
  ahead = by
}
