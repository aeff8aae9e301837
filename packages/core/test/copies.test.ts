import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import type { Session } from 'express-session'
import session from 'express-session'
import { it } from 'vitest'
import { memoryDriver } from '../src/index.ts'
import { ID, plain, storeOn } from './support/faulty.ts'

/**
 * `node_modules` often holds two copies of express-session: the application's and this package's.
 */
const require = createRequire(import.meta.url)
for (const path of Object.keys(require.cache))
  if (path.includes('express-session')) delete require.cache[path]
const copy = require('express-session') as typeof session

it('a session that another copy of express-session generated counts as a new session', async () => {
  assert.notEqual(copy.Session, session.Session)
  const store = storeOn(memoryDriver(), { onConflict: 'error' })
  const generate = (): Session =>
    Object.assign(
      new (copy.Session as unknown as new (req: object) => Session)({ sessionID: ID, sessionStore: store }),
      {
        cookie: new copy.Cookie(),
      },
    )
  await store.set(ID, generate())
  await assert.rejects(store.set(ID, generate()), { code: 'CONFLICT' })
  await store.set(ID, plain({ name: 'Ada' }))
  assert.deepEqual(await store.get(ID), plain({ name: 'Ada' }))
})
