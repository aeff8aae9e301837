import type { ScenarioInfo, ScenarioName } from '../results/results.ts'

const texts: Record<ScenarioName, readonly [title: string, text: string]> = {
  http: [
    'Express over HTTP',
    'Requests to an Express application with express-session, each connection with a session of its own, or one session for all. Stores with `freshness: 1000` also have `touchAfter: 60_000`: they answer from memory for a second after they asked the database, and move a deadline once a minute.',
  ],
  fleet: [
    'Several processes',
    'Several processes of an application work at the same time on one server, each with a store of its own and a few requests at once. A request looks its session up and touches it. All processes begin and end by the same clock.',
  ],
  request: ['Lookup and touch', 'A request that changes nothing costs a lookup and then a touch.'],
  lookup: [
    'Lookup',
    'A session is read, as at the beginning of every request: one that is there, one that is not, one that has expired.',
  ],
  touch: ['Touch', 'The deadline of a session is moved, as at the end of a request that changed nothing.'],
  save: [
    'Save',
    'A session that was read before is written with a change: its size stays, or it grows. Some are read again to see that they hold what was saved last.',
  ],
  mix: [
    'Request mix',
    'Of a hundred requests, 90 look up and touch, 8 change the session, 1 logs in (regenerate) and 1 logs out.',
  ],
  hot: [
    'Hot session',
    'Many requests of one session at once. Each looks it up and touches it, and every twentieth also changes and saves it.',
  ],
  'open-loop': [
    'Stated rates',
    'Lookups with a touch begin at a steady rate, whether or not those before have been answered. Latency counts from the time at which each should have begun, so that waiting is part of it.',
  ],
  payload: ['Payload', 'Lookup with touch, and save, with small, medium and large sessions.'],
  stored: ['Stored sessions', 'How the cost of a lookup grows with the number of sessions stored.'],
  storage: [
    'Bytes of a session',
    'How many bytes a stored session takes up: in the memory of Redis, in the tables and indexes of PostgreSQL and SQLite, in the documents and indexes of MongoDB. The database is asked before and after many sessions were stored.',
  ],
  expiry: [
    'Expiry',
    'How long after its deadline a session can still be read, and whether one is gone before it.',
  ],
  reclaim: [
    'Storage of expired sessions',
    'How long sessions take up storage after their deadline, with the settings that each package comes with, while nobody asks for them. The database is asked every quarter of a second at first, and every quarter of a minute later.',
  ],
  pruning: [
    'Pruning under load',
    'Lookups at a steady rate: while nothing else happens, and while expired sessions are being removed. It shows the packages that can be told to remove them.',
  ],
  sealing: ['Sealing', 'Our stores, with sessions stored as plain text and sealed with AES-256-GCM.'],
  tokens: [
    'Tokens beside sessions',
    'An application finds out who sent a request by an access token, with jose alone and with `Tokens`, or by a lookup of the session. Whole requests to an Express application follow, with and without tokens.',
  ],
  pgbouncer: ['PgBouncer', 'PostgreSQL behind PgBouncer in transaction mode.'],
  cluster: ['Redis Cluster', 'Redis Cluster with three masters.'],
  control: [
    'Control',
    'One store is measured twice, as if it were two. What differs here is noise, and other differences of that size mean nothing.',
  ],
}

/** All scenarios in the order of the page. */
export const scenarios: readonly ScenarioInfo[] = Object.entries(texts).map(([name, [title, text]]) => ({
  name: name as ScenarioName,
  title,
  text,
  command: `npx -y pnpm@12 bench --scenario ${name}`,
}))

/** Returns the scenarios of a run, which may be older, in the order of the page. */
export function inPageOrder(some: readonly ScenarioInfo[]): ScenarioInfo[] {
  const place = ({ name }: ScenarioInfo): number => scenarios.findIndex((one) => one.name === name)
  return some.toSorted((a, b) => place(a) - place(b))
}
