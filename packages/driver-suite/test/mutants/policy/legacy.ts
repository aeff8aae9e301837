import { type LegacyReader, type LegacyRow, type MoveOutcome, SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { makeFresh } from '../../../src/policy/sessions.ts'
import { type Mutant, makeGet } from './helpers.ts'

/** Opens a store without the option `legacy`. */
const openAlone = (...[, driver, options]: Parameters<Mutant>): SessionStore =>
  new SessionStore(driver, { ...options, legacy: undefined })

/** Copies what `get` does with the option `legacy`, and leaves `move` to the mutant. */
const moveBy =
  (
    move: (
      store: SessionStore,
      id: string,
      session: SessionData,
      expiresAt: number | undefined,
    ) => Promise<unknown>,
  ): Mutant =>
  (right, driver, options) => {
    const alone = openAlone(right, driver, options)
    const { from, until } = options.legacy ?? {}
    return makeGet(async (id) => {
      const [row] = await driver.read([alone.handle(id)])
      if (row !== undefined || from === undefined || Date.now() >= Number(until)) return right.get(id)
      const found = await from.read(id, Date.now())
      if (found === null) return null
      await move(alone, id, found.session, found.expiresAt)
      await from.delete(id)
      return alone.get(id)
    })
  }

/** The mutant ends sessions like a store without the option, and then removes the other row. */
const endShortly =
  (end: (alone: SessionStore) => Record<string, unknown>): Mutant =>
  (right, driver, options) =>
    options.legacy ? end(openAlone(right, driver, options)) : {}

export const legacy: Readonly<Record<string, Mutant>> = {
  'policy/legacy/moves-a-session-in-with-its-deadline': moveBy((store, id, session) =>
    store.set(id, { ...session, cookie: { ...session.cookie, expires: null } } as SessionData),
  ),
  'policy/legacy/never-lengthens-a-session': moveBy((store, id, session, expiresAt) =>
    store.set(id, {
      ...session,
      cookie: { ...session.cookie, expires: new Date((expiresAt ?? 0) + 1) },
    } as SessionData),
  ),
  'policy/legacy/never-overwrites': moveBy((store, id, session) => store.set(id, session)),
  'policy/legacy/asked-by-two-processes-answers-both': moveBy(async (store, id) => {
    if ((await store.get(id)) !== null) throw new Error('somebody else moves it')
  }),
  // The mutant looks here, and then there, but not here again.
  'policy/legacy/finds-what-another-process-moves-meanwhile': moveBy((store, id, session) =>
    store.set(id, session),
  ),
  'policy/legacy/asks-the-other-store-once': (right, _driver, { legacy }) =>
    makeGet(async (id) => {
      await legacy?.from.read(id, Date.now())
      return right.get(id)
    }),
  'policy/legacy/ends-with-until': (right, driver, options) => {
    const { legacy } = options
    const endless = new SessionStore(
      driver,
      legacy ? { ...options, legacy: { ...legacy, until: new Date(8.64e15) } } : options,
    )
    return { ...makeGet((id) => endless.get(id)), peek: right.peek.bind(right) }
  },
  'policy/legacy/takes-what-is-no-session-for-a-miss': (right, _driver, { legacy }) =>
    makeGet(async (id) => {
      const found = await legacy?.from.read(id, Date.now())
      if (found && !found.session.cookie) throw new Error('no cookie')
      return right.get(id)
    }),
  'policy/legacy/fails-while-the-other-store-is-down': (right) =>
    makeGet((id) => right.get(id).catch(() => null)),
  'policy/legacy/updates-a-session-that-has-not-moved': (right, driver, options) => {
    const alone = openAlone(right, driver, options)
    return { update: alone.update.bind(alone) }
  },
  'policy/legacy/refuses-a-place-that-both-use': (right) => ({
    moveIn: (from: LegacyReader, row: LegacyRow) =>
      right.moveIn(Object.assign(Object.create(from), { refuse: () => undefined }), row),
  }),
  'policy/legacy/moves-in-by-command-what-get-would': (right) => ({
    async moveIn(from: LegacyReader, row: LegacyRow, options: object): Promise<MoveOutcome> {
      const outcome = await right.moveIn(from, row, options)
      // The row goes at once, although another process may be copying it.
      if (outcome === 'present') await from.delete(row.id)
      return outcome
    },
  }),
  // The mutant takes the session for a new one of its own, which may replace a tombstone.
  'policy/legacy-logout/beside-a-logout-brings-nothing-back': moveBy((store, id, session) =>
    store.set(id, makeFresh(store, id, { ...session })),
  ),
  'policy/legacy-logout/keeps-a-session-away-that-was-destroyed': endShortly((alone) => ({
    destroy: (id: string) => alone.destroy(id),
  })),
  'policy/legacy-logout/keeps-a-session-away-that-was-revoked': endShortly((alone) => ({
    revoke: (handle: string) => alone.revoke(handle),
  })),
  'policy/legacy-logout/keeps-a-session-away-that-was-revoked-with-its-user': endShortly((alone) => ({
    revokeUser: (user: string) => alone.revokeUser(user),
  })),
  'policy/legacy-logout/keeps-a-session-away-that-was-regenerated': endShortly((alone) => {
    Object.assign(alone, { generate() {} })
    return { regenerate: alone.regenerate.bind(alone) }
  }),
  'policy/legacy-logout/keeps-a-session-away-that-was-destroyed-unread': endShortly((alone) => ({
    destroy: (id: string) => alone.destroy(id),
  })),
  'policy/legacy-logout/ends-a-session-here-before-there': (right, _driver, { legacy }) => ({
    async destroy(id: string) {
      await legacy?.from.delete(id)
      await right.destroy(id)
    },
  }),
  'policy/legacy-logout/copies-and-follows-the-original': (right, driver, options) => {
    const alone = openAlone(right, driver, options)
    // The copy is read without a look at the original.
    return makeGet(async (id) => (await alone.get(id)) ?? right.get(id))
  },
  'policy/legacy-logout/opens-nothing-by-a-stored-key': (right, driver, options) => {
    const alone = openAlone(right, driver, options)
    // The fallback of rack: an id that is a stored key finds its row.
    return makeGet(
      async (id) => (await right.get(id)) ?? (await alone.peek(id).catch(() => null))?.session ?? null,
    )
  },
  'policy/legacy-logout/clears-both': (right, driver, options) => {
    const alone = openAlone(right, driver, options)
    return { clear: () => alone.clear() }
  },
}
