import { describeWith } from '@session-stores/testbed/vitest'
import { pooled } from './pooled.ts'
import { contract } from './suites.ts'

describeWith('PgBouncer in transaction mode', pooled, ({ pooler }) =>
  contract(pooler, { namedStatements: false }),
)
