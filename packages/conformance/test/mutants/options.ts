import type { MakeOptions } from '@session-stores/conformance'
import type { SessionData, Store } from 'express-session'
import type { Mutant } from '../support/reference.ts'
import {
  answer,
  type Callback,
  changeDeadline,
  changeSaves,
  forgets,
  HOUR,
  ignoreTouches,
  refuseSaves,
  savesTouches,
} from './shared.ts'

/** A mutant only if the store is made with this option. */
const withOption =
  (option: keyof MakeOptions, mutant: Mutant): Mutant =>
  (store, options) =>
    options?.[option] === undefined ? {} : mutant(store, options)

const readKind = (session: SessionData): unknown => (session as SessionData & { kind?: unknown }).kind

/** Takes sessions of one kind for another kind, so that the function returns another life. */
const confuseKinds = (kind: string, other: string): Mutant =>
  withOption(
    'ttlOf',
    changeSaves((session) => (session.kind === kind ? { ...session, kind: other } : session)),
  )

/** Moves every deadline, in milliseconds. */
const moveDeadlines = (ms: number): Mutant => changeDeadline((expires) => expires && expires + ms)

/** Moves every deadline by this part of the skew, as if the database compared the deadlines. */
const moveDeadlinesBySkew = (choose: (skew: number) => number): Mutant =>
  withOption('skew', (store, options) => moveDeadlines(choose(options!.skew!))(store))

/** Returns whether the name of the second table contains this text. */
const hasTable = (options: MakeOptions | undefined, part: string): boolean =>
  options?.tables?.[1].includes(part) ?? false

/** Clears the other stores at a save if the name of the table is code. */
const executeNames = (): Mutant => {
  const made: Parameters<Mutant>[0][] = []
  return (store, options) => {
    if (!hasTable(options, 'DROP')) return {}
    made.push(store)
    return {
      set(id, session, callback) {
        for (const one of made) if (one !== store) one.clear(() => {})
        store.set(id, session, callback as Callback)
      },
    }
  }
}

/** Lets a mutant replace `prune`, which the types of express-session do not know. */
const withPrune = (methods: Partial<Store> & { prune(): Promise<number> }): Partial<Store> => methods

export const options: Readonly<Record<string, Mutant>> = {
  'ttl-function/decides': confuseKinds('short', 'long'),
  'ttl-function/its-error-is-told': withOption('ttlOf', (store, options) => ({
    set(id, session, callback) {
      options!.ttlOf!(session)
      store.set(id, session, callback as Callback)
    },
  })),
  'ttl-function/no-time-is-gone': confuseKinds('none', 'long'),
  'ttl-function/fraction-or-no-number': refuseSaves((session) => readKind(session) === 'fraction'),
  'touch-after/calls-back': withOption('touchAfter', (store) => ({
    touch(id, session, callback) {
      if (session.cookie.originalMaxAge! > HOUR) answer(callback, new Error('too soon'))
      else store.touch(id, session, callback as Callback)
    },
  })),
  'touch-after/does-not-end-a-session-in-use': withOption(
    'touchAfter',
    ignoreTouches(({ cookie }) => cookie.originalMaxAge === 3000),
  ),
  'touch-after/follows-a-new-max-age': withOption(
    'touchAfter',
    ignoreTouches(({ cookie }) => cookie.originalMaxAge! < 2000),
  ),
  'touch-disabled/changes-nothing': withOption('disableTouch', savesTouches),
  'touch-disabled/asynchronous': withOption('disableTouch', () => ({
    touch: (_id, _session, callback) => callback?.(),
  })),
  'time-zone/of-the-database-ends-nothing': withOption('timeZones', moveDeadlines(-13 * HOUR)),
  'time-zone/of-the-database-extends-nothing': withOption('timeZones', moveDeadlines(13 * HOUR)),
  'clocks/ahead-of-the-database': moveDeadlinesBySkew((skew) => Math.max(skew, 0)),
  'clocks/behind-the-database': moveDeadlinesBySkew((skew) => Math.min(skew, 0)),
  'table/any-name': (store, options) => (hasTable(options, ' "own"') ? forgets(store) : {}),
  'table/is-no-code': executeNames(),
  'prune/off-removes-nothing': withOption('pruneInterval', (store) => ({
    set: (id, session, callback) =>
      void store.prune().then(() => store.set(id, session, callback as Callback)),
  })),
  'prune/removes-what-ended': withOption('pruneInterval', () => withPrune({ prune: async () => 0 })),
}
