declare module 'better-sqlite3-session-store' {
  import type { Database } from 'better-sqlite3'
  import type session from 'express-session'

  export default function factory(
    module: typeof session,
  ): new (options: {
    client: Database
    expired?: { clear: boolean; intervalMs: number }
  }) => session.Store
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
    createTableIfMissing?: boolean
    pruneSessionInterval?: number | false
  }) => session.Store & { close(): Promise<void> }
}

declare module 'connect-pg-simple-8' {
  export { default } from 'connect-pg-simple'
}
