import { redisCluster } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Cluster, Redis } from 'ioredis'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { servers, start, storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

const USERS = 20
const userOf = (i: number) => `user-${i % USERS}`
const ids = Array.from({ length: 3 * USERS }, (_, i) => `id-${i}`)
const args = (policy: string) => [
  ...['--maxmemory', '100mb', '--maxmemory-policy', policy],
  ...['--maxmemory-samples', '64'],
]

describe.each(servers)('%s', (_, make) => {
  describe.each(['allkeys-lru', 'volatile-lru'])('with %s', (policy) => {
    describeWith(
      'a server',
      () => make({ args: args(policy) }),
      ({ url }) => {
        const observer = new Redis(url)
        afterAll(() => observer.disconnect())

        it('finds all sessions of a user whose index was evicted', async () => {
          const store = storeOf({ url, user: (session) => (session as never as { user: string }).user })
          after(() => store.clear())
          const save = (some: readonly string[]) =>
            Promise.all(
              some.map((id, i) => store.set(id, plain({ user: userOf(i), text: 'x'.repeat(20_000) }))),
            )
          await save(ids)
          const indexes = await observer.keys('sess::*')
          expect(indexes).toHaveLength(USERS)
          // Only saves use indexes, so indexes are the first keys to be evicted.
          await vi.waitFor(async () => {
            for (const index of indexes) expect(await observer.object('IDLETIME', index)).toBeGreaterThan(1)
          }, 30_000)
          await vi.waitFor(async () => {
            await Promise.all(ids.map((id) => store.get(id)))
            const [, used] = /^used_memory:(\d+)/m.exec(await observer.info('memory'))!
            await observer.config('SET', 'maxmemory', Number(used) - 1000)
            expect(await observer.exists(...indexes)).toBeLessThan(USERS / 2)
          }, 30_000)
          await observer.config('SET', 'maxmemory', '100mb')
          // An index that a later save makes anew names the session of this save alone.
          await save(ids.slice(0, USERS / 2))

          const left = await store.length()
          expect(left).toBeGreaterThan(USERS)
          let revoked = 0
          for (let i = 0; i < USERS; i++) revoked += await store.revokeUser(userOf(i))
          expect(revoked).toBe(left)
          expect(await store.length()).toBe(0)
        })

        it('causes one warning of the process, which names the policy', async () => {
          const { child, ended } = start('use', url)
          let complaint = ''
          child.stderr!.on('data', (text) => {
            complaint += text
          })
          expect(await ended).toMatch("name: 'Ada'")
          expect(complaint).toMatch(`[SESSION_STORES_EVICTION] SessionStoresWarning: Redis removes keys`)
          expect(complaint).toMatch(`(maxmemory-policy ${policy})`)
          expect(complaint.match(/SessionStoresWarning/g)).toHaveLength(1)
        })
      },
    )
  })

  describeWith(
    'a server that has no limit or evicts nothing',
    () => make(),
    ({ url }) => {
      it.each([
        ['volatile-lru', '0'],
        ['noeviction', '100mb'],
      ])('is asked for the index of a user, with %s and maxmemory %s', async (policy, limit) => {
        const observer = new Redis(url)
        after(() => observer.disconnect())
        await observer.config('SET', 'maxmemory', limit)
        await observer.config('SET', 'maxmemory-policy', policy)
        const store = storeOf({ url, user: () => 'ada' })
        await store.set('the-id', plain())
        await observer.config('RESETSTAT')
        expect((await store.list({ user: 'ada' })).sessions).toHaveLength(1)
        const commands = await observer.info('commandstats')
        expect(commands).toMatch('cmdstat_zscan:calls=1,')
        expect(commands).not.toMatch('cmdstat_scan')
      })
    },
  )
})

describeWith('a Redis Cluster of which one master evicts', redisCluster, ({ addresses, nodes }) => {
  it('finds all sessions of a user', async () => {
    const evicting = new Redis(nodes[1]!.url)
    after(() => evicting.disconnect())
    await evicting.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await evicting.config('SET', 'maxmemory', '100mb')
    const client = new Cluster([...addresses])
    after(() => client.disconnect())
    const store = storeOf({ client, user: () => 'ada' })
    await Promise.all(ids.map((id) => store.set(id, plain())))
    await Promise.all(
      client.nodes('master').map(async (node) => {
        const [index] = await node.keys('sess::*')
        if (index) await node.del(index)
      }),
    )
    expect(await store.revokeUser('ada')).toBe(ids.length)
  })
})
