import { type Driver, SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { answer, type Callback, type Mutant, makeGet } from './helpers.ts'

const isNewer = (data: string | null | undefined): boolean => /^(format|sealed:[^2])/.test(data ?? '')

/** Returns a driver that shows rows of a newer format as `change` makes them. */
const showing = (driver: Driver, change: (data: string) => string[]): Driver => ({
  ...driver,
  read: async (keys) =>
    (await driver.read(keys)).flatMap((row) =>
      isNewer(row.data) ? change(row.data!).map((data) => ({ ...row, data })) : [row],
    ),
})

/** The mutant says of a session in a newer format that it does not exist. */
const takeForAbsent: Mutant = (_right, driver, options) => {
  const blind = new SessionStore(
    showing(driver, () => []),
    options,
  )
  return { get: blind.get.bind(blind) }
}

/** The mutant takes a session in a newer format for a broken one. */
const takeForBroken: Mutant = (_right, driver, options) => {
  const blind = new SessionStore(
    showing(driver, () => ['?']),
    options,
  )
  return { get: blind.get.bind(blind), set: blind.set.bind(blind) }
}

/** The mutant stores every session in the format before the newest, and so never the newest. */
const ignoreOption: Mutant = (_right, driver, { formatVersion, ...options }, formats) => {
  const careful = new SessionStore(driver, options, formats)
  return { set: careful.set.bind(careful) }
}

/** The mutant cannot end a session that it cannot read. */
const readBeforeLogout: Mutant = (right) => ({
  destroy: (id: string, callback?: Callback) =>
    answer(callback, async () => {
      if (await right.get(id)) await right.destroy(id)
    }),
})

export const formats: Readonly<Record<string, Mutant>> = {
  'policy/formats/a-newer-format-is-an-error-of-its-own': takeForAbsent,
  'policy/formats/a-newer-layout-is-an-error-of-its-own': takeForAbsent,
  'policy/formats/a-newer-seal-is-an-error-of-its-own': takeForBroken,
  'policy/formats/a-newer-sealed-format-is-an-error-of-its-own': takeForBroken,
  'policy/formats/a-newer-format-is-never-overwritten': takeForBroken,
  'policy/formats/a-newer-format-ends-with-a-logout': readBeforeLogout,
  'policy/formats/a-newer-format-counts-and-does-not-stop-a-list': (_right, driver, options) => {
    const blind = new SessionStore(
      showing(driver, () => []),
      options,
    )
    return { list: blind.list.bind(blind), ids: blind.ids.bind(blind) }
  },
  'policy/formats/a-touch-keeps-a-newer-format-alive': (right) => ({
    touch: (id: string, session: SessionData, callback?: Callback) =>
      answer(callback, async () => {
        if (await right.get(id).catch(() => null)) await right.touch(id, session)
      }),
  }),
  'policy/formats/the-last-two-formats-read-each-other': (_right, driver, options) =>
    makeGet((id) => new SessionStore(driver, options).get(id)),
  'policy/formats/the-last-two-formats-read-each-other-sealed': ignoreOption,
  'policy/formats/a-rollback-begins-with-the-option': (_right, driver, options, formats) => {
    // The mutant goes on to store the newest format.
    const eager = new SessionStore(
      driver,
      formats ? { ...options, formatVersion: formats.length } : options,
      formats,
    )
    return { update: eager.update.bind(eager) }
  },
  'policy/formats/a-sealed-format-cannot-be-renamed': ignoreOption,
}
