/**
 * A process that saves a session through a store of its own and ends by itself, without closing the
 * store.
 */
import { PostgresStore } from '../../src/index.ts'

const [url, table] = process.argv.slice(2) as [string, string]
const store = new PostgresStore({ url, table })
const cookie = { originalMaxAge: 3_600_000, path: '/' }
await store.set('the-id', { cookie, name: 'Ada' } as never)
console.log(JSON.stringify(await store.get('the-id')))
