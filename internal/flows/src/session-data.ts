import 'express-session'

declare module 'express-session' {
  /** The data that the flows keep in their sessions. */
  interface SessionData {
    user?: string
    cart?: string[]
    note?: string
    seen?: string
  }
}
