import session from 'express-session'
import { Floor, NEAR, type Open, SEAL, type Subjects, user } from './subject.ts'

const connectPgSimple: Open = async ({ urls }) => {
  const { default: factory } = await import('connect-pg-simple')
  const store = new (factory(session))({ conString: urls[0]!, createTableIfMissing: true })
  return {
    store,
    prune: () =>
      new Promise<void>((resolve, reject) => {
        store.pruneSessions((error) => (error ? reject(error) : resolve()))
      }),
  }
}

export const postgresSubjects: Subjects = {
  async 'ours-postgres'({ urls }) {
    const { PostgresStore } = await import('@session-stores/postgres')
    const store = new PostgresStore({ url: urls[0]! })
    return { store, prune: () => store.prune() }
  },
  async 'ours-postgres-near'({ urls }) {
    const { PostgresStore } = await import('@session-stores/postgres')
    return { store: new PostgresStore({ url: urls[0]!, ...NEAR }) }
  },
  async 'ours-postgres-user'({ urls }) {
    const { PostgresStore } = await import('@session-stores/postgres')
    return { store: new PostgresStore({ url: urls[0]!, user }) }
  },
  async 'ours-postgres-sealed'({ urls }) {
    const { PostgresStore } = await import('@session-stores/postgres')
    return { store: new PostgresStore({ url: urls[0]!, seal: SEAL }) }
  },
  async 'ours-postgres-pgbouncer'({ urls }) {
    const { PostgresStore } = await import('@session-stores/postgres')
    // PgBouncer before 1.21 does not support prepared statements.
    return { store: new PostgresStore({ url: urls[0]!, namedStatements: false }) }
  },
  'connect-pg-simple': connectPgSimple,
  'connect-pg-simple-pgbouncer': connectPgSimple,
  async 'connect-session-knex-postgres'({ urls }) {
    const { ConnectSessionKnexStore } = await import('connect-session-knex')
    const { default: knex } = await import('knex')
    const store = new ConnectSessionKnexStore({ knex: knex({ client: 'pg', connection: urls[0]! }) })
    await store.ready
    return { store }
  },
  async 'floor-postgres'({ urls }) {
    const { default: pg } = await import('pg')
    const pool = new pg.Pool({ connectionString: urls[0]! })
    const run = (name: string, text: string, ...values: unknown[]) => pool.query({ name, text, values })
    await pool.query('CREATE TABLE IF NOT EXISTS floor (id text PRIMARY KEY, data text, deadline bigint)')
    return {
      store: new Floor({
        read: async (id) => {
          const { rows } = await run(
            'read',
            'SELECT data FROM floor WHERE id = $1 AND deadline > $2',
            id,
            Date.now(),
          )
          return rows[0]?.data
        },
        write: (id, data, deadline) =>
          run(
            'write',
            `INSERT INTO floor VALUES ($1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET data = excluded.data, deadline = excluded.deadline`,
            id,
            data,
            deadline,
          ),
        touch: (id, deadline) => run('touch', 'UPDATE floor SET deadline = $2 WHERE id = $1', id, deadline),
        remove: (id) => run('remove', 'DELETE FROM floor WHERE id = $1', id),
      }),
    }
  },
}
