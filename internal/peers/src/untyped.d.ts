declare module 'better-sqlite3-session-store' {
  import type { Database } from 'better-sqlite3'
  import type session from 'express-session'

  export default function factory(
    module: typeof session,
  ): new (options: {
    client: Database
    expired?: { clear: boolean }
  }) => session.Store
}

declare module 'connect-sqlite3' {
  import type session from 'express-session'

  export default function factory(module: object): new (options: object) => session.Store
}

declare module 'connect-pg-simple' {
  import type session from 'express-session'
  import type { Pool } from 'pg'

  export default function factory(
    module: typeof session,
  ): new (options: {
    pool: Pool
    schemaName?: string
    tableName?: string
    disableTouch?: boolean
    pruneSessionInterval?: number | false
    ttl?: number
    errorLog?(...args: unknown[]): void
  }) => session.Store & { close(): Promise<void> }
}

declare module 'session-file-store' {
  import type session from 'express-session'

  export default function factory(module: typeof session): new (options: {
    path: string
    reapInterval: number
    logFn(): void
    ttl?: number
    secret?: string
    /** The store adds its timer to the options. */
    reapIntervalObject?: NodeJS.Timeout
  }) => session.Store
}
