import session from 'express-session'
import { expressSession, makeApplication } from '../child/application.ts'

const [kind, url, opt] = process.argv.slice(2)
const options = { ...JSON.parse(opt ?? '{}'), pruneInterval: false }
let store: any
if (kind === 'memory') store = new session.MemoryStore()
else if (kind === 'redis')
  store = new (await import('@session-stores/redis')).RedisStore({ url: url!, ...options })
else if (kind === 'postgres')
  store = new (await import('@session-stores/postgres')).PostgresStore({ url: url!, ...options })
else if (kind === 'mongodb')
  store = new (await import('@session-stores/mongodb')).MongoStore({ url: url!, ...options })
else store = new (await import('@session-stores/sqlite')).SqliteStore({ path: url!, ...options })
const app = makeApplication(expressSession(store), Number(process.env.PAYLOAD ?? 1000))
const server = app.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as any).port }))
let before = process.cpuUsage()
process.on('message', () => {
  const used = process.cpuUsage(before)
  before = process.cpuUsage()
  process.send!(used.user + used.system)
})
process.on('disconnect', () => process.exit())
