import { type FaultyProxy, redisProcess, startProxy } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { RedisOptions } from '../src/index.ts'
import { lend, libraries } from './support/lent.ts'
import { storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

const DATABASE = 3

describeWith('a server with databases', redisProcess, (server) => {
  describeWith(
    'and a server with a single database in its place',
    () => redisProcess({ args: ['--databases', '1'] }),
    (small) => {
      const clients: Record<string, (proxy: FaultyProxy) => RedisOptions> = {
        'of its own': (proxy) => ({ url: `${proxy.url}/${DATABASE}` }),
      }
      for (const library of libraries)
        clients[`of ${library} that was lent`] = ({ url }) => {
          const { client, close } = lend(library, { url }, DATABASE)
          after(close)
          return { client }
        }

      it.each(Object.entries(clients))('a client %s uses no other database', async (_, optionsOf) => {
        const observer = new Redis(small.url)
        after(() => observer.disconnect())
        const main = new Redis(server.url)
        after(() => main.disconnect())
        const proxy = await startProxy(server)
        after(() => proxy.stop())
        const store = storeOf({ ...optionsOf(proxy), hashIds: false, operationTimeout: 3000 })
        const other = storeOf({ url: small.url, hashIds: false })
        await store.set('the-id', plain({ name: 'Ada' }))
        await store.set('ended', plain())
        await other.set('the-id', plain({ name: 'somebody else' }))
        await Promise.all([observer, main].map((each) => each.config('RESETSTAT')))

        // Calls are under way when the other server takes over, so resent ones arrive there.
        proxy.pause('toClient')
        const underway = [store.touch('ended', plain()), store.get('the-id')].map((call) =>
          call.catch((error) => error),
        )
        await vi.waitFor(async () => {
          const commands = await main.info('commandstats')
          expect(commands).toMatch('cmdstat_mget')
          expect(commands).toMatch('cmdstat_evalsha')
        }, 3000)
        proxy.redirect(small)
        proxy.resume('toClient')
        const refused = { code: 'UNAVAILABLE', message: 'Redis has no database with that number' }
        for (const answer of await Promise.all(underway))
          expect(answer).toMatchObject({ code: expect.stringMatching('UNAVAILABLE|TIMEOUT') })
        for (let round = 0; round < 5; round++) {
          await expect(store.get('the-id')).rejects.toMatchObject(refused)
          await expect(store.set('new', plain())).rejects.toMatchObject(refused)
          await expect(store.destroy('the-id')).rejects.toMatchObject(refused)
          await expect(store.clear()).rejects.toMatchObject(refused)
        }
        expect(await observer.info('commandstats')).not.toMatch(/cmdstat_(mget|eval|evalsha|scan|unlink):/)
        expect(await other.get('the-id')).toMatchObject({ name: 'somebody else' })

        proxy.redirect(server)
        await vi.waitFor(() => store.set('new', plain({ name: 'Bob' })), { timeout: 30_000, interval: 20 })
        expect(await store.get('new')).toMatchObject({ name: 'Bob' })
      })
    },
  )

  describe('a user who loses the right to SELECT', () => {
    const observer = new Redis(server.url)
    afterAll(() => observer.disconnect())

    it('gets ACCESS_DENIED, and reads nothing in database 0', async () => {
      const setUser = (...rights: string[]) => observer.call('ACL', 'SETUSER', 'sessions', ...rights)
      await setUser('on', '>password', '~*', '+@all')
      const url = `redis://sessions:password@127.0.0.1:${server.port}`
      const store = storeOf({ url: `${url}/${DATABASE}`, hashIds: false })
      const other = storeOf({ url, hashIds: false })
      await store.set('one', plain({ name: 'Ada' }))
      await other.set('one', plain({ name: 'somebody else' }))
      await setUser('-select')
      await observer.client('KILL', 'USER', 'sessions')
      for (let round = 0; round < 10; round++)
        await expect(store.get('one')).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
      await setUser('+select')
      await vi.waitFor(async () => expect(await store.get('one')).toMatchObject({ name: 'Ada' }), {
        interval: 20,
      })
    })
  })
})
