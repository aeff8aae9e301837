import type { MakeOptions } from '@session-stores/conformance'
import type { SessionData, Store } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import { answer, deadlineOf, HOUR, ignoresTouches, refuses, savesTouches } from './broken.ts'
import { type Callback, forgets, saving } from './shared.ts'

/** Broken where it is made with this option, and right without. */
const given =
  (option: keyof MakeOptions, mutant: Mutant): Mutant =>
  (store, options) =>
    options?.[option] === undefined ? {} : mutant(store, options)

const kindOf = (session: SessionData): unknown => (session as SessionData & { kind?: unknown }).kind

/** Takes one answer of the function for another. */
const mistakes = (kind: string, other: string): Mutant =>
  given(
    'ttlOf',
    saving((session) => (session.kind === kind ? { ...session, kind: other } : session)),
  )

/** Deadlines are later by this. */
const later = (ms: number): Mutant => deadlineOf((expires) => expires && expires + ms)

/** Deadlines are compared with the clock of the database, if that is how the two differ. */
const byTheDatabase = (choose: (skew: number) => number): Mutant =>
  given('skew', (store, options) => later(choose(options!.skew!))(store))

/** The second table has this in its name. */
const isNamed = (options: MakeOptions | undefined, part: string): boolean =>
  options?.tables?.[1].includes(part) ?? false

/** What is done to such a table is done to the others. */
const clearsOthers = (): Mutant => {
  const made: Parameters<Mutant>[0][] = []
  return (store, options) => {
    if (!isNamed(options, 'DROP')) return {}
    made.push(store)
    return {
      set(id, session, callback) {
        for (const one of made) if (one !== store) one.clear(() => {})
        store.set(id, session, callback as Callback)
      },
    }
  }
}

/** Types leave `prune` to the stores. */
const pruning = (methods: Partial<Store> & { prune(): Promise<number> }): Partial<Store> => methods

export const options: Readonly<Record<string, Mutant>> = {
  'ttl-function/decides': mistakes('short', 'long'),
  'ttl-function/its-error-is-told': given('ttlOf', (store, options) => ({
    set(id, session, callback) {
      options!.ttlOf!(session)
      store.set(id, session, callback as Callback)
    },
  })),
  'ttl-function/no-time-is-gone': mistakes('none', 'long'),
  'ttl-function/fraction-or-no-number': refuses((session) => kindOf(session) === 'fraction'),
  'touch-after/calls-back': given('touchAfter', (store) => ({
    touch(id, session, callback) {
      if (session.cookie.originalMaxAge! > HOUR) answer(callback, new Error('too soon'))
      else store.touch(id, session, callback as Callback)
    },
  })),
  'touch-after/does-not-end-a-session-in-use': given(
    'touchAfter',
    ignoresTouches(({ cookie }) => cookie.originalMaxAge === 3000),
  ),
  'touch-after/follows-a-new-max-age': given(
    'touchAfter',
    ignoresTouches(({ cookie }) => cookie.originalMaxAge! < 2000),
  ),
  'touch-disabled/changes-nothing': given('disableTouch', savesTouches),
  'touch-disabled/asynchronous': given('disableTouch', () => ({
    touch: (_id, _session, callback) => callback?.(),
  })),
  'time-zone/of-the-database-ends-nothing': given('timeZones', later(-13 * HOUR)),
  'time-zone/of-the-database-extends-nothing': given('timeZones', later(13 * HOUR)),
  'clocks/ahead-of-the-database': byTheDatabase((skew) => Math.max(skew, 0)),
  'clocks/behind-the-database': byTheDatabase((skew) => Math.min(skew, 0)),
  'table/any-name': (store, options) => (isNamed(options, ' "own"') ? forgets(store) : {}),
  'table/is-no-code': clearsOthers(),
  'prune/off-removes-nothing': given('pruneInterval', (store) => ({
    set: (id, session, callback) =>
      void store.prune().then(() => store.set(id, session, callback as Callback)),
  })),
  'prune/removes-what-ended': given('pruneInterval', () => pruning({ prune: async () => 0 })),
}
