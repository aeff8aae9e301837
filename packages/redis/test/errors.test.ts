import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { Cluster, Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import type { RedisStore } from '../src/index.ts'
import { plain } from './plain.ts'
import { after, storeOf } from './support.ts'

const ID = 'the-secret-id'
const SECRETS = [ID, 'the-secret-payload', 'the-secret-password', 'the-wrong-password']
const session = plain({ name: 'the-secret-payload' })

/** The error of a call that fails; printed, it gives nothing away. */
async function failure(call: Promise<unknown>): Promise<unknown> {
  const error = await call.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error,
  )
  const printed = inspect(error, { depth: null, showHidden: true })
  for (const secret of SECRETS) expect(printed).not.toContain(secret)
  return error
}

/** Every call fails so, also when it is tried again. */
async function failsAlways(store: RedisStore, expected: object): Promise<void> {
  for (let i = 0; i < 3; i++) {
    expect(await failure(store.get(ID))).toMatchObject(expected)
    expect(await failure(store.set(ID, session))).toMatchObject(expected)
    expect(await failure(store.touch(ID, session))).toMatchObject(expected)
    expect(await failure(store.destroy(ID))).toMatchObject(expected)
    expect(await failure(store.length())).toMatchObject(expected)
  }
}

describeWith(
  'a password',
  () => redisProcess({ password: 'the-secret-password' }),
  (server) => {
    const wrong = server.url.replace('the-secret-password', 'the-wrong-password')

    it('is taken from the URL', async () => {
      const store = storeOf({ url: server.url })
      await store.set(ID, session)
      expect(await store.get(ID)).toMatchObject({ name: 'the-secret-payload' })
    })

    it('that is wrong is ACCESS_DENIED', async () => {
      await failsAlways(storeOf({ url: wrong }), { code: 'ACCESS_DENIED' })
    })

    it('that is missing is ACCESS_DENIED', async () => {
      const store = storeOf({ url: server.url.replace(':the-secret-password@', '') })
      await failsAlways(store, { code: 'ACCESS_DENIED' })
    })

    it('that a lent client lacks is ACCESS_DENIED', async () => {
      const client = new Redis(wrong)
      client.on('error', () => {})
      after(() => client.disconnect())
      expect(await failure(storeOf({ client }).set(ID, session))).toMatchObject({ code: 'ACCESS_DENIED' })
    })

    it('of a user without rights is ACCESS_DENIED', async () => {
      const observer = new Redis(server.url)
      after(() => observer.disconnect())
      await observer.call(
        'ACL',
        'SETUSER',
        'guest',
        'on',
        '>the-secret-password',
        '~sess:*',
        '+ping',
        '+info',
      )
      const url = server.url.replace('//:', '//guest:')
      await failsAlways(storeOf({ url, hashIds: false }), { code: 'ACCESS_DENIED' })
    })
  },
)

describeWith('a user with the rights of the README', redisProcess, (server) => {
  it('can do all that a store does', async () => {
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
    const [, rights] = /^ACL (SETUSER [^`]*)/m.exec(readme)!
    const observer = new Redis(server.url)
    after(() => observer.disconnect())
    await observer.call('ACL', ...rights!.trim().split(/\s+/))
    const store = storeOf({ url: `redis://sessions:password@127.0.0.1:${server.port}/1`, user: () => 'ada' })
    await store.set(ID, session)
    await store.set('another', session)
    await store.touch(ID, session)
    expect(await store.get(ID)).toMatchObject({ name: 'the-secret-payload' })
    expect(await store.length()).toBe(2)
    expect((await store.list({ user: 'ada' })).sessions).toHaveLength(2)
    await store.destroy(ID)
    await store.clear()
    expect(await store.ids()).toEqual([])
    // What was refused; ioredis tells its version where it may.
    const log = (await observer.call('ACL', 'LOG')) as string[][]
    expect(
      log.map((entry) => entry[entry.indexOf('object') + 1]).filter((name) => !/^client/.test(name!)),
    ).toEqual([])
  })
})

describeWith(
  'commands',
  () => redisProcess({ args: renamed('MGET', 'EVALSHA', 'SCAN') }),
  ({ url }) => {
    it('that were renamed are ACCESS_DENIED', async () => {
      await failsAlways(storeOf({ url, hashIds: false }), { code: 'ACCESS_DENIED' })
    })
  },
)

function renamed(...commands: string[]): string[] {
  return commands.flatMap((command) => ['--rename-command', command, ''])
}

const prompt = () => redisProcess({ args: ['--repl-diskless-sync-delay', '0'] })

describeWith('a server', prompt, (server) => {
  const observer = new Redis(server.url)
  afterAll(() => observer.disconnect())

  it('that has no such database is an error', async () => {
    const store = storeOf({ url: `${server.url}/99` })
    expect(await failure(store.set(ID, session))).toMatchObject({ code: 'BACKEND' })
    expect(await failure(store.get(ID))).toMatchObject({ code: 'BACKEND' })
    expect(await observer.dbsize()).toBe(0)
  })

  it('that is no cluster is UNAVAILABLE to a client of a cluster', async () => {
    const client = new Cluster([{ host: '127.0.0.1', port: server.port }], {
      clusterRetryStrategy: () => null,
    })
    client.on('error', () => {})
    after(() => client.disconnect())
    await failsAlways(storeOf({ client }), { code: 'UNAVAILABLE' })
  })

  it('that has no memory left takes no saves, but touches and logouts, and goes on when it has', async () => {
    const store = storeOf({ url: server.url, user: () => 'ada' })
    after(() => store.clear())
    const ids = Array.from({ length: 20 }, (_, i) => `id-${i}`)
    await Promise.all(ids.map((id) => store.set(id, plain({ id }))))
    await observer.config('SET', 'maxmemory', '1')
    after(() => observer.config('SET', 'maxmemory', '0'))
    expect(await failure(store.set(ID, session))).toMatchObject({ code: 'STORAGE_FULL' })
    expect(await failure(store.set('id-1', session))).toMatchObject({ code: 'STORAGE_FULL' })
    expect(await store.get('id-1')).toMatchObject({ id: 'id-1' })
    expect(await store.length()).toBe(20)
    const later = plain()
    later.cookie.originalMaxAge = 5 * 86_400_000
    await store.touch('id-2', later)
    await store.destroy('id-3')
    await observer.config('SET', 'maxmemory', '0')
    expect(await store.get('id-3')).toBe(null)
    await store.set('id-3', session)
    expect(await store.get('id-3')).toBe(null)
    const { sessions } = await store.list({ user: 'ada' })
    expect(sessions).toHaveLength(19)
    const touched = sessions.find(({ handle }) => handle === store.handle('id-2'))!
    expect(touched.expiresAt).toBeGreaterThan(Date.now() + 4 * 86_400_000)
    await store.set(ID, session)
    expect(await store.length()).toBe(20)
  })

  describe('that is a replica', () => {
    const replicaOf = () => redisProcess({ args: ['--replicaof', '127.0.0.1', `${server.port}`] })
    describeWith('of it', replicaOf, (replica) => {
      it('reads, and takes no writes until it is promoted', async () => {
        const master = storeOf({ url: server.url })
        await master.set(ID, session)
        const store = storeOf({ url: replica.url })
        await expect.poll(() => store.get(ID).catch(() => null), { timeout: 20_000 }).toMatchObject(session)
        for (let i = 0; i < 3; i++) {
          expect(await failure(store.set(ID, session))).toMatchObject({ code: 'READ_ONLY' })
          expect(await failure(store.touch(ID, session))).toMatchObject({ code: 'READ_ONLY' })
          expect(await failure(store.destroy(ID))).toMatchObject({ code: 'READ_ONLY' })
          expect(await store.get(ID)).toMatchObject(session)
          expect(await store.length()).toBe(1)
        }
        const promoter = new Redis(replica.url)
        after(() => promoter.disconnect())
        await promoter.call('REPLICAOF', 'NO', 'ONE')
        await store.destroy(ID)
        expect(await store.get(ID)).toBe(null)
      })
    })
  })
})
