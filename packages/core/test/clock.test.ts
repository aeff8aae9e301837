import assert from 'node:assert/strict'
import { describe, it, vi } from 'vitest'
import { type Driver, memoryDriver, SessionStore } from '../src/index.ts'
import { plain } from './support/faulty.ts'

/** What a store does when its clock and the clock of the database disagree. */

const DAY = 86_400_000

/** Makes a driver whose clock is this many milliseconds ahead of this process. */
const databaseAhead = (ms: number): Driver => ({ ...memoryDriver(), ping: () => Date.now() + ms })

async function warningsOf(driver: Driver): Promise<(string | undefined)[]> {
  const heard: (string | undefined)[] = []
  const listen = ({ code, message }: Error & { code?: string }): void => {
    if (code === 'SESSION_STORES_CLOCK') heard.push(message)
  }
  process.on('warning', listen)
  try {
    const store = new SessionStore(driver, { pruneInterval: false })
    await store.ping()
    await store.prune()
    await store.close()
    // Node emits warnings in the next tick.
    await new Promise(setImmediate)
  } finally {
    process.off('warning', listen)
  }
  return heard
}

describe('a clock that is far from that of the database', () => {
  it('is warned about once for each store, with the difference and its direction', async () => {
    const [behind] = await warningsOf(databaseAhead(DAY))
    assert.match(behind!, /^the clock of this process is 86400 s behind that of the memory database: /)
    const ahead = await warningsOf(databaseAhead(-DAY))
    assert.equal(ahead.length, 1)
    assert.match(ahead[0]!, /^the clock of this process is 8\d{4} s ahead of that of the memory database: /)
  })

  it('is not warned about while the difference is small', async () => {
    assert.deepEqual(await warningsOf(databaseAhead(50_000)), [])
    assert.deepEqual(await warningsOf(databaseAhead(-50_000)), [])
  })

  it('removes no session that is live by the clock of the database', async () => {
    const driver = memoryDriver()
    const wrong = new SessionStore(driver, { pruneInterval: false, now: () => Date.now() + DAY })
    const right = new SessionStore(driver, { pruneInterval: false })
    await right.set('ended', plain({}, { expires: new Date(Date.now() - 1000) }))
    await right.set('alive', plain({}, { expires: new Date(Date.now() + DAY / 2) }))
    await vi.waitFor(async () => assert.equal(await wrong.prune(), 1))
    assert.equal(await wrong.prune(), 0)
    assert.ok(await right.get('alive'))
  })
})
