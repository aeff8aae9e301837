import { driverSuite } from '@session-stores/driver-suite'
import { redisCluster } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Cluster } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { deploymentsOn } from './support/deployment.ts'
import { storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

let prefixes = 0

describeWith('a Redis Cluster', redisCluster, ({ addresses }) => {
  const client = new Cluster([...addresses])
  afterAll(() => client.disconnect())

  // What the stores promise does not depend on the deployment: the single server shows it.
  driverSuite({ describe, it }, deploymentsOn({ addresses }), {
    only: ['contract', 'races', 'process-races'],
  })

  it('holds the sessions of one user on all masters', async () => {
    const prefix = `test${++prefixes}:`
    const store = storeOf({ client, prefix, user: () => 'ada' })
    const ids = Array.from({ length: 200 }, (_, i) => `id-${i}`)
    await Promise.all(ids.map((id) => store.set(id, plain({ id }))))
    for (const node of client.nodes('master')) {
      const found = await node.keys(`${prefix}[^:]*`)
      expect(found.length).toBeGreaterThan(20)
    }
    const found = await Promise.all(ids.map((id) => store.get(id)))
    expect(found.map((session) => (session as unknown as { id: string }).id)).toEqual(ids)
    expect(await store.length()).toBe(200)
    expect((await store.list({ user: 'ada' })).sessions).toHaveLength(200)
    expect(await store.revokeUser('ada', { except: 'id-7' })).toBe(199)
    expect(await store.ids()).toEqual([store.handle('id-7')])
    await store.clear()
    for (const node of client.nodes('master')) expect(await node.keys(`${prefix}*`)).toEqual([])
  })

  it.each([
    {},
    { keyPrefix: 'app:' },
    { enableAutoPipelining: true },
    { keyPrefix: 'app:', enableAutoPipelining: true },
  ])('never redirects a client that is set to %o', async (options) => {
    const asking = new Cluster([...addresses], options)
    after(() => asking.disconnect())
    const errors = async () => {
      const infos = await Promise.all(client.nodes('master').map((node) => node.info('errorstats')))
      return infos.join().match(/errorstat_(MOVED|ASK|CROSSSLOT):count=\d+/g)
    }
    for (const node of client.nodes('master')) await node.config('RESETSTAT')
    const store = storeOf({ client: asking, prefix: `test${++prefixes}:`, user: () => 'ada' })
    const ids = Array.from({ length: 100 }, (_, i) => `id-${i}`)
    await Promise.all(ids.map((id) => store.set(id, plain())))
    for (const session of await Promise.all(ids.map((id) => store.get(id)))) expect(session).toBeTruthy()
    await Promise.all(ids.map((id) => store.touch(id, plain())))
    expect(await store.length()).toBe(100)
    expect((await store.list({ user: 'ada' })).sessions).toHaveLength(100)
    await store.revokeUser('ada')
    expect(await errors()).toBeNull()
  })

  it('removes ended sessions from the index of their user', async () => {
    const prefix = `test${++prefixes}:`
    const store = storeOf({ client, prefix, user: () => 'ada' })
    const ids = Array.from({ length: 200 }, (_, i) => `id-${i}`)
    await Promise.all(ids.map((id) => store.set(id, plain())))
    await Promise.all(ids.slice(1).map((id) => store.destroy(id)))
    const indexes = await Promise.all(client.nodes('master').map((node) => node.keys(`${prefix}:*`)))
    const [index] = indexes.flat()
    expect(await client.zrange(index!, '0', '-1')).toEqual([store.handle('id-0')])
  })

  it('gets the commands of a batch in one piece per master', async () => {
    const driver = redisDriver({ client, prefix: `test${++prefixes}:` })
    const now = Date.now()
    const rows = Array.from({ length: 90 }, (_, i) => ({ key: `key-${i + 10}`, expiresAt: now + 60_000 }))
    const texts = { data: '{}', tag: 'tag', user: null, createdAt: now }
    const verbs = [
      () =>
        driver.write(
          rows.map((row) => ({ ...row, ...texts, expect: '' })),
          now,
        ),
      () => driver.read(rows.map(({ key }) => key)),
      () =>
        driver.touch(
          rows.map((row) => ({ ...row, user: null, expiresAt: now + 90_000 })),
          now,
        ),
    ]
    for (const verb of verbs) {
      // From the first run on, the masters know the script.
      await verb()
      const before = await readsOf(client)
      await verb()
      // A master may read a piece in two, and reads the question for the figures, too.
      expect((await readsOf(client)) - before).toBeLessThanOrEqual(3 * 2 + 3)
    }
  })

  it('gets a script again that a node has forgotten', async () => {
    const store = storeOf({ client, prefix: `test${++prefixes}:` })
    await store.set('the-id', plain({ name: 'Ada' }))
    await Promise.all(client.nodes('master').map((node) => node.call('SCRIPT', 'FLUSH')))
    await store.touch('the-id', plain())
    await store.set('the-id', plain({ name: 'Bob' }))
    expect(await store.get('the-id')).toMatchObject({ name: 'Bob' })
  })

  it('refuses to continue a list at a master that is gone', async () => {
    const driver = redisDriver({ client })
    await expect(driver.list({ after: '0,127.0.0.1:1', limit: 10 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
  })
})

/** Returns how often the masters have read from their sockets. */
async function readsOf(client: Cluster): Promise<number> {
  const infos = await Promise.all(client.nodes('master').map((node) => node.info('stats')))
  return infos.reduce((sum, info) => sum + Number(/total_reads_processed:(\d+)/.exec(info)![1]), 0)
}
