import { UncertainWriteError, type Write } from '@session-stores/core'
import { lostReplySuite } from '@session-stores/driver-suite'
import { type FaultyProxy, mongoProcess, startProxy } from '@session-stores/testbed'
import { HOUR } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { clientOf, driverOf, NOW, newName, readOne, rowOf, session, withOption } from './support/servers.ts'

const startFaulty = () => mongoProcess({ args: ['--setParameter', 'enableTestCommands=1'] })

describeWith('a write that is sent again', startFaulty, (server) => {
  /** Returns a driver behind a network with faults, and another one behind a sound network. */
  async function open(options = '') {
    const proxy = await startProxy(server)
    after(() => proxy.stop())
    const name = { database: newName(), collection: newName() }
    // The client sends no heartbeats meanwhile, so the next reply is that to a command.
    const url = withOption(
      proxy.through(server.url),
      `directConnection=true&heartbeatFrequencyMS=60000${options}`,
    )
    const driver = await driverOf({ url, ...name })
    const other = await driverOf({ url: server.url, ...name })
    return { proxy, driver, other }
  }

  /** Makes the call, loses its reply, and calls `meanwhile` before the command is sent again. */
  async function loseReply<T>(
    proxy: FaultyProxy,
    call: () => T | Promise<T>,
    meanwhile: () => unknown = () => {},
  ): Promise<T> {
    proxy.refuse()
    const lost = proxy.loseNextReply()
    const answer = (async () => call())()
    answer.catch(() => {})
    await lost
    await meanwhile()
    proxy.accept()
    return answer
  }

  const first = session('a', { tag: 'first' })
  const update = session('a', { expect: 'first', tag: 'second', data: '"sent twice"' })
  const others = session('a', { expect: 'second', tag: 'third', data: '"of another"' })
  const tombstone = session('a', { data: null, tag: 'end' })

  const writes: Record<string, { before: Write[]; write: Write; next: Write }> = {
    'a create': { before: [], write: first, next: { ...update, tag: 'third' } },
    'a create, whose session was revoked meanwhile': { before: [], write: first, next: tombstone },
    'an update': { before: [first], write: update, next: others },
    'an update, whose session was revoked meanwhile': { before: [first], write: update, next: tombstone },
    'a conditional tombstone': {
      before: [first],
      write: { ...tombstone, expect: 'first' },
      next: { ...others, expect: 'end' },
    },
  }

  describe.each(Object.entries(writes))('%s', (_, { before, write, next }) => {
    it('counts as landed and changes nothing', async () => {
      const { proxy, driver, other } = await open()
      for (const row of before) await other.write([row], NOW)
      const touch = () => other.touch([{ key: 'a', user: null, expiresAt: NOW + 2 * HOUR }], NOW)
      expect(await loseReply(proxy, () => driver.write([write], NOW), touch)).toEqual(['a'])
      const expiresAt = write.data === null ? write.expiresAt : NOW + 2 * HOUR
      expect(await readOne(other, 'a')).toEqual({ ...rowOf(write), expiresAt })
    })

    it('is uncertain where another wrote meanwhile, and the error names the writes that landed', async () => {
      const { proxy, driver, other } = await open()
      for (const row of before) await other.write([row, { ...row, key: 'b' }], NOW)
      const both = [write, { ...write, key: 'b' }]
      const meanwhile = () => other.write([next], NOW)
      const error = await loseReply(proxy, () => driver.write(both, NOW), meanwhile).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(UncertainWriteError)
      expect(error.landed).toEqual(['b'])
      expect(await readOne(other, 'a')).toMatchObject({ tag: next.tag, data: next.data })
    })
  })

  it('is certainly refused where it was not sent before', async () => {
    // Each command needs a new connection, which the server does not take at first.
    const { proxy, driver, other } = await open('&maxIdleTimeMS=1')
    await other.write([first], NOW)
    proxy.refuse()
    const begun = proxy.accepted
    const answer = driver.write([{ ...update, expect: 'another' }], NOW)
    await expect.poll(() => proxy.accepted).toBeGreaterThan(begun)
    proxy.accept()
    expect(await answer).toEqual([])
  })

  it('is followed by certain answers to lookups and touches', async () => {
    const { proxy, driver, other } = await open()
    await other.write([first], NOW)
    expect(await loseReply(proxy, () => driver.read(['a']))).toEqual([rowOf(first)])
    const touch = { key: 'a', tag: 'first', user: null, expiresAt: NOW + 2 * HOUR }
    await loseReply(proxy, () => driver.touch([touch], NOW))
    expect((await readOne(other, 'a'))?.expiresAt).toBe(NOW + 2 * HOUR)
  })

  lostReplySuite({ describe, it }, async () => {
    const { proxy, driver } = await open()
    return { driver, loseNextReply: () => proxy.loseNextReply() }
  })

  describe.each<[name: string, failure: object, isUncertain: boolean]>([
    ['NotWritablePrimary', { errorCode: 10_107 }, false],
    ['NotPrimaryNoSecondaryOk', { errorCode: 13_435 }, false],
    ['NotPrimaryOrSecondary', { errorCode: 13_436 }, false],
    ['InterruptedDueToReplStateChange', { errorCode: 11_602 }, true],
    ['InterruptedAtShutdown', { errorCode: 11_600 }, true],
    ['ShutdownInProgress', { errorCode: 91 }, true],
    ['PrimarySteppedDown', { errorCode: 189 }, true],
    ['HostUnreachable', { errorCode: 6 }, true],
    ['SocketException', { errorCode: 9001 }, true],
    ['a majority not reached', { writeConcernError: { code: 189, errmsg: 'stepped down' } }, true],
    ['a connection that breaks', { closeConnection: true }, true],
  ])('after %s', (_, failure, isUncertain) => {
    it(`is ${isUncertain ? 'perhaps' : 'certainly'} refused`, async () => {
      const name = { database: newName(), collection: newName() }
      const driver = await driverOf({ url: withOption(server.url, 'appName=again'), ...name })
      await driver.write([first], NOW)
      const data = { failCommands: ['update'], appName: 'again', ...failure }
      const point = { configureFailPoint: 'failCommand', mode: { times: 1 }, data }
      await clientOf(server.url).db('admin').command(point)
      const answer = driver.write([{ ...update, expect: 'another' }], NOW)
      if (isUncertain) await expect(answer).rejects.toBeInstanceOf(UncertainWriteError)
      else expect(await answer).toEqual([])
      expect(await readOne(driver, 'a')).toEqual(rowOf(first))
    })
  })
})
