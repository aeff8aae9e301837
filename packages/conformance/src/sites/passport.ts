import type { Handler } from './express.ts'
import { done } from './express.ts'

interface User {
  id: number
}
type Request = Parameters<Handler>[0] & {
  user?: User
  logIn(user: User, callback: (error?: unknown) => void): void
  logOut(callback: (error?: unknown) => void): void
}

/**
 * Returns a function that runs Passport before a handler, as an application does with `app.use`.
 */
export async function loadPassport(): Promise<
  (handler: (req: Request, res: Parameters<Handler>[1]) => unknown) => Handler
> {
  const { Passport } = (await import('passport')).default
  const passport = new Passport()
  passport.serializeUser((user, callback) => callback(null, (user as User).id))
  passport.deserializeUser((id: number, callback) => callback(null, { id }))
  const steps = [passport.initialize(), passport.session()]
  return (handler) => async (req, res) => {
    for (const step of steps) await done((callback) => step(req, res, callback))
    return handler(req as unknown as Request, res)
  }
}
