import { meant, type OptionHints } from './check-options.ts'

const PRUNE = meant('pruneInterval', 'milliseconds, or false')
const SEAL = meant('seal', '{ keys: [key] }; npx session-stores keygen --secret makes a key')
const SERIALIZER = meant('serializer', '{ stringify, parse }')
const MIDDLEWARE = 'it is an option of session(), and not of its store.'
const CALLBACK =
  "an error goes to the caller, and what happens inside to the channels of 'node:diagnostics_channel'."

/** What to write in place of the names that options of every store have in other stores. */
export const STORE_HINTS: OptionHints = {
  ttl: meant('idleTimeout', 'milliseconds'),
  maxAge: meant('idleTimeout', "milliseconds; it counts where the cookie of session() has no 'maxAge'"),
  expires: meant('idleTimeout', 'milliseconds'),
  expiration: meant('idleTimeout', 'milliseconds'),
  maxLifetime: meant('absoluteTimeout', 'milliseconds'),
  timeout: meant('operationTimeout', 'milliseconds, for a call; a session has an idleTimeout'),
  disableTouch: `${meant('touchAfter', 'milliseconds')} Without any touch, users would be signed out at work.`,
  disableTTL: `${meant('idleTimeout', 'milliseconds')} Every session ends at some time.`,
  pruneSessionInterval: PRUNE,
  pruneSessionRandomizedInterval: PRUNE,
  autoRemove: PRUNE,
  autoRemoveInterval: PRUNE,
  checkPeriod: PRUNE,
  reapInterval: PRUNE,
  clearInterval: PRUNE,
  cleanupInterval: PRUNE,
  expired: PRUNE,
  crypto: SEAL,
  cryptoAdapter: SEAL,
  encryption: SEAL,
  encrypt: SEAL,
  serialize: SERIALIZER,
  unserialize: SERIALIZER,
  stringify: SERIALIZER,
  transformId: meant('hashIds', 'it stores the SHA-256 of each id'),
  errorLog: CALLBACK,
  logErrors: CALLBACK,
  secret: MIDDLEWARE,
  cookie: MIDDLEWARE,
  resave: MIDDLEWARE,
  saveUninitialized: MIDDLEWARE,
  rolling: MIDDLEWARE,
  genid: MIDDLEWARE,
  name: MIDDLEWARE,
  proxy: MIDDLEWARE,
  unset: MIDDLEWARE,
}
