/**
 * Prints how many bytes of the old space a request leaves behind that reads, touches and saves its
 * session. It runs in a process of its own, because V8 remembers what it has seen. The old space
 * must be so large that V8 collects nothing.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import session from 'express-session'
import { memoryDriver, SessionStore } from '../../src/index.ts'

const SESSIONS = 2000
const REQUESTS = 100_000

const rows = memoryDriver()
let keeps = true
/** Makes a driver that answers a turn later, as databases do. */
const driver = {
  ...rows,
  read: (keys: Parameters<typeof rows.read>[0]) => turn().then(() => rows.read(keys)),
  write: (writes: Parameters<typeof rows.write>[0], now: number) =>
    // A replaced row would be garbage itself.
    turn().then(() => (keeps ? rows.write(writes, now) : writes.map(({ key }) => key))),
  touch: (touches: Parameters<typeof rows.touch>[0], now: number) =>
    turn().then(() => rows.touch(touches, now)),
}
const store = new SessionStore(driver, { pruneInterval: false })

const idOf = (index: number): string => `session-${index % SESSIONS}`

/** Makes a session as express-session makes one for a request. */
function created(id: string, data: session.SessionData): session.Session {
  return store.createSession({ sessionID: id, sessionStore: store } as never, data)
}

async function login(index: number): Promise<void> {
  const cookie = new session.Cookie()
  cookie.maxAge = 3_600_000
  const data = { cookie, note: '.'.repeat(100) } as unknown as session.SessionData
  await store.set(idOf(index), created(idOf(index), data))
}

async function request(index: number): Promise<void> {
  const id = idOf(index)
  const found = created(id, (await store.get(id))!)
  found.touch()
  await store.touch(id, found)
  await store.set(id, found)
}

async function all(count: number, atOnce: number, work: (index: number) => Promise<void>): Promise<void> {
  for (let first = 0; first < count; first += atOnce)
    await Promise.all(Array.from({ length: atOnce }, (_, offset) => work(first + offset)))
}

const oldSpace = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')!.space_used_size

// In a burst at the start, most live objects belong to calls that wait for the database.
await all(20_000, 256, login)
keeps = false
// These sessions live long, as those of open WebSockets do.
const open: unknown[] = []
await all(4096, 256, async (index) => void open.push(await store.get(idOf(index))))
await all(20_000, 32, request)
const before = oldSpace()
await all(REQUESTS, 32, request)
console.log((oldSpace() - before) / REQUESTS)
