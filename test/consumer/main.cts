// An application in CommonJS that has installed the published packages.
import assert = require('node:assert')
import crypto = require('node:crypto')
import session = require('express-session')
import conformance = require('@session-stores/conformance')
import core = require('@session-stores/core')
import layer = require('@session-stores/express')
import mongodb = require('@session-stores/mongodb')
import postgres = require('@session-stores/postgres')
import redis = require('@session-stores/redis')
import sqlite = require('@session-stores/sqlite')
import token = require('@session-stores/token')

const store = new sqlite.SqliteStore({ path: ':memory:', user: () => 'ada' })
const other = new redis.RedisStore({ url: 'redis://127.0.0.1:6379' })
for (const each of [store, other]) assert(each instanceof core.SessionStore && each instanceof session.Store)
// @ts-expect-error: a misspelt option
export const misspelt = () => new redis.RedisStore({ clinet: other })

// This function is never called. It checks that a store has the methods of express-session's Store.
export function inherited(request: Parameters<session.Store['regenerate']>[0]): void {
  const stores: session.Store[] = [
    new mongodb.MongoStore({ url: 'mongodb://localhost' }),
    new postgres.PostgresStore({ url: 'postgres://localhost' }),
    store,
    other,
  ]
  session({ store: stores[0]!, secret: 'a secret' })
  store.once('disconnect', () => {})
  store.regenerate(request, () => {})
  store.load('an id', () => {})
}

async function main(): Promise<void> {
  await store.set('an id', { cookie: new session.Cookie() })
  assert.ok(await store.get('an id'))
  const subject: conformance.Subject = {
    make: () => ({ stores: [new core.SessionStore(core.memoryDriver())] }),
  }
  const [result] = await conformance.run(subject, conformance.rules.slice(0, 1))
  assert.equal(result?.outcome, 'passed')
  const secret = crypto.randomBytes(32).toString('base64url')
  const tokens = new token.Tokens({ store, issuer: 'me', audience: 'me', secret })
  const { accessToken } = await tokens.grant({}, { client: 'cli' })
  assert.equal((await tokens.verify(accessToken)).sub, 'ada')
  tokens.close()
  assert.equal(typeof layer.sessions({ store, secret }), 'function')
  await store.close()
  await other.close()
  console.log('commonjs: ok')
}
main()
