import { createHash } from 'node:crypto'
import type { Driver } from '@session-stores/core'
import { type RedisCluster, redisCluster, SlotMove } from '@session-stores/testbed'
import { HOUR, sessionsAt } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import generateSlot from 'cluster-key-slot'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { lend, libraries, mainLibraries } from './support/lent.ts'
import { storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

let prefixes = 0
const now = Date.now()
const session = sessionsAt(now)

/** Returns keys of which all have the slot of the first one, which is chosen by `seed`. */
function keysOfOneSlot(prefix: string, count: number, seed: number): string[] {
  const slot = generateSlot(`${prefix}${seed}`)
  const keys = [`${seed}`]
  for (let i = 0; keys.length < count; i++)
    if (generateSlot(`${prefix}k${seed}-${i}`) === slot) keys.push(`k${seed}-${i}`)
  return keys
}

/** Resets the counters of the masters, and returns how often commands were called since then. */
async function countCalls({ nodes }: RedisCluster): Promise<(command: string) => Promise<number>> {
  const admins = nodes.map(({ url }) => new Redis(url))
  after(() => admins.forEach((admin) => void admin.disconnect()))
  await Promise.all(admins.map((admin) => admin.config('RESETSTAT')))
  return async (command) => {
    const infos = await Promise.all(admins.map((admin) => admin.info('commandstats')))
    const counts = infos.map((info) =>
      Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0),
    )
    return counts.reduce((sum, count) => sum + count)
  }
}

/** Returns each row's key with its tag, or with the word `dead` for a tombstone. */
async function stateOf(driver: Driver, keys: readonly string[]): Promise<Record<string, string>> {
  const rows = await driver.read([...keys].sort())
  return Object.fromEntries(rows.map(({ key, tag, data }) => [key, data === null ? 'dead' : tag]))
}

describeWith('a Redis Cluster', redisCluster, (cluster) => {
  describe.each(libraries)('a client of %s', (library) => {
    const lendClient = () => {
      const { client, close } = lend(library, { addresses: cluster.addresses })
      after(close)
      return client
    }

    it('gets one script for each master', async () => {
      const driver = redisDriver({ client: lendClient(), prefix: `test${++prefixes}:` })
      const rows = Array.from({ length: 64 }, (_, i) => session(`key-${i + 10}`, { expect: '' }))
      await driver.write(rows, now)
      await driver.touch([{ key: 'key-10', user: null, expiresAt: now + 2 * HOUR }], now)
      const calls = await countCalls(cluster)
      expect(
        await driver.write(
          rows.map((row) => ({ ...row, tag: 'new', expect: 'tag' })),
          now,
        ),
      ).toHaveLength(64)
      const touches = rows.map(({ key }) => ({ key, user: null, tag: 'new', expiresAt: now + 3 * HOUR }))
      await driver.touch(touches, now)
      // A master that did not know the script of touches yet was asked twice.
      expect(await calls('evalsha')).toBeLessThanOrEqual(3 + 3)
      expect(await calls('set')).toBe(64)
      for (const { expiresAt } of await driver.read(rows.map(({ key }) => key)))
        expect(expiresAt).toBe(now + 3 * HOUR)
    })

    it('does everything once in each half of a slot that moves', async () => {
      const prefix = `test${++prefixes}:`
      const driver = redisDriver({ client: lendClient(), prefix })
      const names = ['touched', 'saved', 'refused', 'ended', 'old', 'new'] as const
      const [staying, moved, other] = [1, 2, 3].map((seed) => keysOfOneSlot(prefix, 12, seed)) as [
        string[],
        string[],
        string[],
      ]
      // Of the first slot, one half of the keys is still at the old master, and one is at the new.
      const halves = {
        left: staying.slice(0, 6),
        gone: staying.slice(6),
        whole: moved,
        still: other.slice(0, 6),
      }
      const keys = [...staying, ...moved.slice(0, 6), ...halves.still]
      const isNew = (key: string) =>
        Object.values(halves).some((half) => half.indexOf(key) % 6 === names.length - 1)
      const old = keys.filter((key) => !isNew(key)).sort()
      await driver.write(
        old.map((key) => session(key, { tag: 'one', expect: '' })),
        now,
      )
      const move = await SlotMove.of(cluster.nodes, generateSlot(prefix + staying[0]))
      await move.begin()
      await move.move(...halves.gone.filter((key) => !isNew(key)).map((key) => prefix + key))
      const second = await SlotMove.of(cluster.nodes, generateSlot(prefix + moved[0]))
      await second.begin()
      await second.end()

      const calls = await countCalls(cluster)
      const groups = [halves.left, halves.gone, moved.slice(0, 6), halves.still]
      const pick = (name: (typeof names)[number]) => groups.map((group) => group[names.indexOf(name)]!)
      const landed = await driver.write(
        [
          ...pick('saved').map((key) => session(key, { tag: 'two', expect: 'one' })),
          ...pick('refused').map((key) => session(key, { tag: 'two', expect: 'none' })),
          ...pick('ended').map((key) => ({ ...session(key, { tag: 'two' }), data: null })),
          ...pick('new').map((key) => session(key, { tag: 'two', expect: '' })),
        ].sort((a, b) => (a.key < b.key ? -1 : 1)),
        now,
      )
      expect([...landed].sort()).toEqual([...pick('saved'), ...pick('ended'), ...pick('new')].sort())
      expect(await calls('set')).toBe(landed.length)
      // Beside one script for each master: the rows that had gone, and one that is new at the old master.
      expect(await calls('evalsha')).toBeLessThanOrEqual(3 + 2 * 4 + 1)
      const touched = [...pick('touched'), ...pick('ended')].sort()
      await driver.touch(
        touched.map((key) => ({ key, user: null, tag: 'one', expiresAt: now + 2 * HOUR })),
        now,
      )
      const expected = { touched: 'one', saved: 'two', refused: 'one', ended: 'dead', old: 'one', new: 'two' }
      const check = async () => {
        for (const name of names)
          for (const [key, state] of Object.entries(await stateOf(driver, pick(name))))
            expect(`${name} ${key} ${state}`).toBe(`${name} ${key} ${expected[name]}`)
        const rows = await driver.read(keys.toSorted())
        expect(rows).toHaveLength(keys.length)
        for (const { key, expiresAt } of rows)
          expect(expiresAt).toBe(pick('touched').includes(key) ? now + 2 * HOUR : now + HOUR)
      }
      await check()
      await move.end()
      await check()
    })
  })

  it.each(mainLibraries)('fails no call of %s while slots move under load', async (library) => {
    const { client, close } = lend(library, { addresses: cluster.addresses })
    after(close)
    const prefix = `test${++prefixes}:`
    const open = () => storeOf({ client, prefix, idleTimeout: HOUR, tombstoneTimeout: HOUR, onGone: 'error' })
    const stores = [open(), open()]
    const ids = Array.from({ length: 60 }, (_, i) => `id-${i}`)
    const saves = new Map<string, number>()
    await Promise.all(ids.map((id) => stores[0]!.set(id, plain({ saves: 0 }))))
    let isOver = false
    const work = async (id: string, place: number) => {
      const store = stores[place % 2]!
      while (!isOver) {
        const found = (await store.get(id)) as { saves: number } & ReturnType<typeof plain>
        await store.touch(id, found)
        found.saves++
        await store.set(id, found)
        saves.set(id, found.saves)
      }
    }
    const [ended, used] = [ids.slice(0, 20), ids.slice(20)]
    const working = used.map(work)
    working.forEach((each) => void each.catch(() => {}))
    for (const id of [...ended, ...used.slice(0, 20)]) {
      const key = prefix + createHash('sha256').update(id).digest('base64url')
      const move = await SlotMove.of(cluster.nodes, generateSlot(key))
      await move.begin()
      if (ended.includes(id)) await stores[1]!.destroy(id)
      await move.end()
    }
    isOver = true
    await Promise.all(working)
    for (const id of ended) expect(await stores[0]!.get(id)).toBeNull()
    for (const id of used) expect(await stores[0]!.get(id)).toMatchObject({ saves: saves.get(id) })
  })
})
