import type { Mutant } from './helpers.ts'

export const peek: Readonly<Record<string, Mutant>> = {
  'policy/peek/shows-what-list-shows': (right) => ({
    peek: async (handle: string) => {
      const found = await right.peek(handle)
      return found && { ...found, createdAt: 0 }
    },
  }),
  'policy/peek/shows-no-session-that-has-ended': (right) => {
    const known = new Map<string, unknown>()
    return {
      set: async (id: string, session: never) => {
        await right.set(id, session)
        known.set(right.handle(id), await right.peek(right.handle(id)))
      },
      peek: async (handle: string) => (await right.peek(handle)) ?? known.get(handle) ?? null,
    }
  },
  'policy/peek/sees-the-calls-before-it': (_right, driver) => ({
    peek: async (handle: string) => (await driver.read([handle]))[0] ?? null,
  }),
  'policy/peek/at-once-share-trips': (right) => ({
    peek: async (handle: string) =>
      (await right.list()).sessions.find((session) => session.handle === handle) ?? null,
  }),
  'policy/peek/refuses-what-is-no-handle': (right) => ({
    peek: (handle: string) => right.peek(handle).catch(() => null),
  }),
}
