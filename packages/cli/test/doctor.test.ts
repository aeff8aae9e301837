import { declareMongo } from './support/faults/mongodb.ts'
import { declarePostgres } from './support/faults/postgres.ts'
import { declareRedis } from './support/faults/redis.ts'
import { declareSite } from './support/faults/site.ts'
import { declareSqlite } from './support/faults/sqlite.ts'

// Each test prepares a fault. `doctor` has to name this fault and no other.

declareSqlite()
declareSite()
declareRedis()
declarePostgres()
declareMongo()
