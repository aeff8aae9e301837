import { type Any, answer, type Callback, type Mutant, saveCopies, touchCopies } from './helpers.ts'

export const deadlines: Readonly<Record<string, Mutant>> = {
  'policy/deadlines/a-touch-from-before-a-save-leaves-the-longer-deadline-that-it-decided': touchCopies,
  'policy/deadlines/a-touch-from-before-a-save-leaves-the-shorter-deadline-that-it-decided': touchCopies,
  'policy/deadlines/a-late-save-of-an-unchanged-session-does-not-move-the-deadline-back': saveCopies,
  'policy/deadlines/who-sets-an-earlier-end-by-hand-is-heard': (right) => ({
    set: (id: string, session: Any, callback?: Callback) =>
      answer(callback, async () => {
        const found = await right.get(id)
        const ends = [session, found].map((one) => Number(new Date(one?.cookie.expires ?? 0)))
        session.cookie.expires = new Date(Math.max(...ends))
        return right.set(id, session)
      }),
  }),
}
