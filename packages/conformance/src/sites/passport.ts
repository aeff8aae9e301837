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

/** Gives handlers a Passport before them, as an application does with `app.use`. */
export async function passport(): Promise<
  (handler: (req: Request, res: Parameters<Handler>[1]) => unknown) => Handler
> {
  const { Passport } = (await import('passport')).default
  const one = new Passport()
  one.serializeUser((user, callback) => callback(null, (user as User).id))
  one.deserializeUser((id: number, callback) => callback(null, { id }))
  const steps = [one.initialize(), one.session()]
  return (handler) => async (req, res) => {
    for (const step of steps) await done((callback) => step(req, res, callback))
    return handler(req as unknown as Request, res)
  }
}
