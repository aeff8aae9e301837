declare module 'better-sqlite3-session-store' {
  import type { Database } from 'better-sqlite3'
  import type session from 'express-session'

  class SqliteStore extends session.Store {
    constructor(options: { client: Database })
    clearExpiredSessions(): void
  }
  export default function factory(module: typeof session): typeof SqliteStore
}

declare module 'connect-pg-simple' {
  import type session from 'express-session'

  class PGStore extends session.Store {
    constructor(options: { conString: string; createTableIfMissing: boolean })
    pruneSessions(done: (error?: unknown) => void): void
  }
  export default function factory(module: typeof session): typeof PGStore
}

declare module 'connect-sqlite3' {
  import type session from 'express-session'

  export default function factory(
    module: typeof session,
  ): new (options: {
    dir: string
    db: string
    concurrentDb: boolean
  }) => session.Store & { db: { exec(sql: string, done: (error: Error | null) => void): void } }
}

declare module 'session-file-store' {
  import type session from 'express-session'

  export default function factory(
    module: typeof session,
  ): new (options: {
    path: string
    logFn(): void
  }) => session.Store
}
