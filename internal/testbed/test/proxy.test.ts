import { once } from 'node:events'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import pg from 'pg'
import { afterAll, beforeEach, expect, test, vi } from 'vitest'
import { postgresProcess } from '../src/postgres.ts'
import { startProxy } from '../src/proxy.ts'
import { redisProcess } from '../src/redis.ts'
import { mongoReplicaSet } from '../src/replica-set.ts'
import { after, describeWith } from '../src/vitest.ts'
import { clientOf, dial, isSettled, proxyTo, readAll, waitForEvent } from './support/proxy.ts'

describeWith(
  'a Redis with a password',
  () => redisProcess({ password: 'p@ss/w:rd' }),
  (server) => {
    test('is reached through the proxy, whose URL differs in the port only, and which counts', async () => {
      const proxy = await proxyTo(server)
      expect(proxy.url).toBe(server.url.replace(`:${server.port}`, `:${proxy.port}`))
      expect(proxy).toMatchObject({ open: 0, accepted: 0, faults: 0, bytes: { toServer: 0, toClient: 0 } })
      const [one, other] = [clientOf(proxy.url), clientOf(proxy.url)]
      expect(await Promise.all([one.ping(), other.ping()])).toEqual(['PONG', 'PONG'])
      expect(proxy).toMatchObject({ open: 2, accepted: 2, faults: 0 })
      expect(Math.min(proxy.bytes.toServer, proxy.bytes.toClient)).toBeGreaterThan(10)
      one.disconnect()
      await proxy.until(({ open }) => open === 1)
      expect(await other.ping()).toBe('PONG')
    })

    test('a target can be a URL', async () => {
      const proxy = await proxyTo(server.url)
      expect(proxy.url).toBe(proxy.through(server.url))
      expect(await clientOf(proxy.url).ping()).toBe('PONG')
    })
  },
)

test('URLs of all kinds are rewritten to the proxy', async () => {
  const proxy = await proxyTo({ port: 1 })
  const { port } = proxy
  expect(proxy.url).toBe(`tcp://127.0.0.1:${port}`)
  expect(proxy.through('redis://db')).toBe(`redis://127.0.0.1:${port}`)
  expect(proxy.through('postgres://me:p%40ss@db:5432/app?x=1')).toBe(
    `postgres://me:p%40ss@127.0.0.1:${port}/app?x=1`,
  )
  expect(proxy.through('mongodb://[::1]:27017/?directConnection=true')).toBe(
    `mongodb://127.0.0.1:${port}/?directConnection=true`,
  )
})

describeWith('a Redis', redisProcess, (server) => {
  const direct = new Redis(server.url)
  afterAll(() => direct.disconnect())
  beforeEach(() => direct.flushall())

  test('a lost reply: the server has executed the request, and the connection ends', async () => {
    const proxy = await proxyTo(server)
    const client = clientOf(proxy.url)
    await client.ping()
    const lost = proxy.loseNextReply()
    await expect(client.incr('count')).rejects.toThrow(/closed|ECONNRESET|max retries/)
    await lost
    expect(await direct.get('count')).toBe('1')
    expect(proxy.faults).toBe(1)
    expect(await client.incr('count')).toBe(2)
    expect(proxy.accepted).toBe(2)
  })

  test('a lost reply without a cut: the connection stays open and silent for all further requests', async () => {
    const proxy = await proxyTo(server)
    const client = clientOf(proxy.url)
    await client.ping()
    const lost = proxy.loseNextReply({ cut: false })
    const calls = [client.incr('count'), client.incr('count')]
    await lost
    await vi.waitFor(async () => expect(await direct.get('count')).toBe('2'))
    expect(await Promise.all(calls.map(isSettled))).toEqual([false, false])
    expect(proxy).toMatchObject({ open: 1, accepted: 1 })
    await direct.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    expect(await clientOf(proxy.url).ping()).toBe('PONG')
    expect(await Promise.all(calls.map(isSettled))).toEqual([false, false])
    client.disconnect()
    await proxy.until(({ open }) => open === 1)
  })

  test('a fault applies to the matching request on any connection', async () => {
    const proxy = await proxyTo(server)
    const [one, other] = [clientOf(proxy.url), clientOf(proxy.url)]
    const lost = proxy.loseNextReply({ when: (request) => request.includes('incr') })
    expect(await Promise.all([one.ping(), other.set('name', 'Ada')])).toEqual(['PONG', 'OK'])
    const failed = expect(other.incr('count')).rejects.toThrow()
    await lost
    await failed
    expect(await one.incr('count')).toBe(2)
  })

  test('a connection is cut in the middle of a reply', async () => {
    const proxy = await proxyTo(server)
    await direct.set('long', 'x'.repeat(1_000_000))
    const cut = proxy.cutNextReplyAfter(500_000)
    const socket = await dial(proxy.port)
    socket.write('GET long\r\n')
    expect(await readAll(socket)).toHaveLength(500_000)
    await cut
    const again = proxy.cutNextReplyAfter(3)
    await expect(clientOf(proxy.url).get('long')).rejects.toThrow()
    await again
    expect(proxy.faults).toBe(2)
  })

  test('a reply arrives twice', async () => {
    const proxy = await proxyTo(server)
    const socket = await dial(proxy.port)
    const repeated = proxy.repeatNextReply()
    socket.write('ECHO once\r\n')
    await repeated
    socket.end('ECHO more\r\n')
    expect(await readAll(socket)).toBe('$4\r\nonce\r\n$4\r\nonce\r\n$4\r\nmore\r\n')
    const client = clientOf(proxy.url)
    await direct.mset('a', 'of a', 'b', 'of b')
    const twice = proxy.repeatNextReply({ when: (request) => request.includes('get') })
    const answers = Promise.all([client.get('a'), client.get('b')])
    await twice
    expect((await answers)[0]).toBe('of a')
  })

  test('incoming bytes are delayed in both directions and stay in order', async () => {
    const proxy = await proxyTo(server)
    const client = clientOf(proxy.url)
    await client.ping()
    proxy.delay({ toServer: 60, toClient: 40 })
    const start = performance.now()
    expect(await client.ping()).toBe('PONG')
    // A timer may fire a fraction of a millisecond early.
    expect(performance.now() - start).toBeGreaterThan(99)
    proxy.chaos({ seed: 1, delay: 20 })
    const calls: Promise<unknown>[] = []
    for (let i = 0; i < 50; i++) {
      calls.push(client.rpush('list', i))
      await new Promise(setImmediate)
      proxy.delay({ toServer: i % 3 })
    }
    const numbers = [...calls.keys()]
    expect(await Promise.all(calls)).toEqual(numbers.map((number) => number + 1))
    expect(await direct.lrange('list', 0, -1)).toEqual(numbers.map(String))
  })

  test('a paused proxy keeps connections and forwards nothing until it is resumed', async () => {
    const proxy = await proxyTo(server)
    const client = clientOf(proxy.url)
    await client.ping()
    proxy.pause()
    const { toServer } = proxy.bytes
    const waiting = client.incr('count')
    const late = clientOf(proxy.url).incr('count')
    await proxy.until(({ open }) => open === 2)
    expect(await direct.get('count')).toBeNull()
    expect(proxy.bytes.toServer).toBe(toServer)
    proxy.resume()
    expect((await Promise.all([waiting, late])).sort()).toEqual([1, 2])
  })

  test('while replies are paused, the server executes requests and its replies come late', async () => {
    const proxy = await proxyTo(server)
    const client = clientOf(proxy.url)
    await client.ping()
    proxy.pause('toClient')
    const waiting = client.incr('count')
    await vi.waitFor(async () => expect(await direct.get('count')).toBe('1'))
    expect(await isSettled(waiting)).toBe(false)
    proxy.resume('toClient')
    expect(await waiting).toBe(1)
  })

  test('bytes that a client sent before it left arrive later', async () => {
    const proxy = await proxyTo(server)
    const socket = await dial(proxy.port)
    await proxy.until(({ open }) => open === 1)
    proxy.pause()
    socket.end('INCR count\r\n', () => socket.destroy())
    await once(socket, 'close')
    proxy.resume()
    await vi.waitFor(async () => expect(await direct.get('count')).toBe('1'))
    await proxy.until(({ open }) => open === 0)
  })

  test('new connections are refused and counted, and open ones keep working', async () => {
    const proxy = await proxyTo(server)
    const client = clientOf(proxy.url)
    await client.ping()
    proxy.refuse()
    const other = clientOf(proxy.url, { retryStrategy: () => 1, maxRetriesPerRequest: null })
    const waiting = other.ping()
    await proxy.until(({ accepted }) => accepted > 3)
    expect(proxy.open).toBe(1)
    expect(await client.ping()).toBe('PONG')
    proxy.accept()
    expect(await waiting).toBe('PONG')
  })

  test('all connections are cut, and new ones are accepted', async () => {
    const proxy = await proxyTo(server)
    const clients = [clientOf(proxy.url), clientOf(proxy.url)]
    await Promise.all(clients.map((client) => client.ping()))
    const closed = Promise.all(clients.map((client) => waitForEvent(client, 'close')))
    proxy.cut()
    await closed
    await proxy.until(({ open }) => open === 0)
    expect(await Promise.all(clients.map((client) => client.ping()))).toEqual(['PONG', 'PONG'])
    expect(proxy.accepted).toBe(4)
  })

  test('connections to a server that is down end', async () => {
    await using other = await redisProcess()
    const proxy = await proxyTo(other)
    await other.kill()
    const client = clientOf(proxy.url, { retryStrategy: null })
    await expect(client.ping()).rejects.toThrow()
    await proxy.until(({ accepted, open }) => accepted === 1 && open === 0)
  })

  test('another server replaces the target', async () => {
    await using other = await redisProcess()
    const proxy = await proxyTo(server)
    const client = clientOf(proxy.url, { maxRetriesPerRequest: 1 })
    await client.set('name', 'of the first')
    proxy.redirect(other)
    expect(await client.get('name')).toBeNull()
    await client.set('name', 'of the other')
    proxy.redirect(server)
    expect(await client.get('name')).toBe('of the first')
  })

  test('a condition that times out reports the state, and stopping rejects everything that waits', async () => {
    const proxy = await startProxy(server)
    await expect(proxy.until(({ open }) => open > 0, 1)).rejects.toThrow(/within 1 ms: .*"open":0/)
    const client = clientOf(proxy.url, { retryStrategy: null })
    await client.ping()
    const waiting = expect(proxy.until(({ faults }) => faults > 0)).rejects.toThrow(/stopped/)
    const lost = expect(proxy.loseNextReply()).rejects.toThrow(/stopped before the fault/)
    await Promise.all([proxy.stop(), proxy.stop(), waitForEvent(client, 'end')])
    await Promise.all([waiting, lost])
  })

  test('large payloads pass in both directions, even to a slow reader', async () => {
    const proxy = await proxyTo(server)
    const client = clientOf(proxy.url)
    const text = 'x'.repeat(20_000_000)
    await client.set('long', text)
    expect(await client.get('long')).toBe(text)
    const socket = await dial(proxy.port)
    let length = 0
    socket.on('data', (piece) => {
      length += piece.length
    })
    socket.pause()
    const { toClient } = proxy.bytes
    socket.write('GET long\r\n')
    await proxy.until(({ bytes }) => bytes.toClient > toClient)
    expect(await client.ping()).toBe('PONG')
    expect(proxy.bytes.toClient - toClient).toBeLessThan(text.length)
    socket.resume()
    await vi.waitFor(() => expect(length).toBe('$20000000\r\n'.length + text.length + 2), 10_000)
  })
})

describeWith('a PostgreSQL', postgresProcess, (server) => {
  test('works through the proxy; a statement whose reply is lost was executed', async () => {
    const proxy = await proxyTo(server)
    const pool = new pg.Pool({ connectionString: proxy.url })
    pool.on('error', () => {})
    after(() => pool.end())
    await pool.query('CREATE TABLE rows (number int)')
    const lost = proxy.loseNextReply({ when: (request) => request.includes('INSERT') })
    await expect(pool.query('INSERT INTO rows VALUES (1)')).rejects.toThrow()
    await lost
    expect((await pool.query('SELECT number FROM rows')).rows).toEqual([{ number: 1 }])
  })
})

describeWith('a MongoDB', mongoReplicaSet, (server) => {
  test('works through the proxy; its client resends a write whose reply is lost, and the write lands once', async () => {
    const proxy = await proxyTo(server)
    const url = proxy.url.replace('replicaSet=rs', 'directConnection=true')
    const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000 })
    after(() => client.close())
    const rows = client.db('test').collection<{ _id: number }>('rows')
    await rows.insertOne({ _id: 1 })
    const lost = proxy.loseNextReply({ when: (request) => request.includes('insert') })
    await rows.insertOne({ _id: 2 })
    await lost
    expect(await rows.countDocuments()).toBe(2)
    expect(proxy.faults).toBe(1)
  })
})
