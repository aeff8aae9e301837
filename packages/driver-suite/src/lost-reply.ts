import assert from 'node:assert/strict'
import type { Awaitable, Driver } from '@session-stores/core'
import { HOUR, readKeys } from './common.ts'
import { makeSession } from './contract/fixture.ts'
import type { Runner } from './runner.ts'

/** A driver behind a network that can lose replies. */
export interface LossyDriver {
  driver: Driver
  /**
   * Loses the reply to the next command and then breaks the connection. The promise resolves after
   * that has happened.
   */
  loseNextReply(): Promise<unknown>
}

const KEY = 'the-key'

/** The verbs that may take effect twice, and what each of them must do though its reply is lost. */
const calls: Readonly<Record<string, (driver: Driver, now: number) => Promise<void>>> = {
  async read(driver, now) {
    const rows = await driver.read([KEY])
    assert.deepEqual(
      rows.map(({ key, expiresAt }) => ({ key, expiresAt })),
      [{ key: KEY, expiresAt: now + HOUR }],
    )
  },
  async 'read of many keys'(driver) {
    assert.deepEqual(
      (await driver.read(['another', KEY])).map(({ key }) => key),
      [KEY],
    )
  },
  async touch(driver, now) {
    await driver.touch([{ key: KEY, user: null, expiresAt: now + 2 * HOUR }], now)
    const [row] = await driver.read([KEY])
    assert.equal(row?.expiresAt, now + 2 * HOUR)
  },
  async list(driver) {
    assert.deepEqual(await readKeys(driver), [KEY])
  },
  async count(driver, now) {
    assert.equal(await driver.count(now), 1)
  },
  async ping(driver) {
    await driver.ping()
  },
}

/**
 * Declares a test for each verb that may take effect twice. A driver whose connection broke before
 * the reply came must send such a call again: otherwise the first requests after a restart of the
 * database fail, because the connections that the restart ended are still in the pool.
 *
 * @param open Makes a driver on an empty place. Closing it is up to the caller.
 * @example
 * lostReplySuite({ describe, it }, async () => {
 *   const proxy = await startProxy(server)
 *   return { driver: myDriver({ url: proxy.url }), loseNextReply: () => proxy.loseNextReply() }
 * })
 */
export function lostReplySuite({ describe, it }: Runner, open: () => Awaitable<LossyDriver>): void {
  describe('a lost reply', () => {
    for (const [name, call] of Object.entries(calls))
      it(`does not fail a ${name}`, async () => {
        const { driver, loseNextReply } = await open()
        const now = Date.now()
        await driver.setup()
        await driver.write([makeSession(KEY, now)], now)
        const lost = loseNextReply()
        await call(driver, now)
        await lost
      })
  })
}
