import { troubleSuite } from '@session-stores/driver-suite'
import { mongoReplicaSet } from '@session-stores/testbed'
import { HOUR, keysOf } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { MongoClient } from 'mongodb'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { MongoStore, mongoDriver } from '../src/index.ts'
import { driverOf, NOW, session } from './support/servers.ts'

describeWith('a member that is not the primary', mongoReplicaSet, ({ url }) => {
  const direct = url.replace('replicaSet=rs', 'directConnection=true')
  const client = new MongoClient(direct)
  afterAll(() => client.close())
  const stepDown = () => client.db('admin').command({ replSetStepDown: 600, force: true })
  const stepUp = () => client.db('admin').command({ replSetFreeze: 0 })

  const driver = mongoDriver({ url: `${url}&serverSelectionTimeoutMS=200` })
  const troubles = {
    'a set without a primary': {
      code: 'UNAVAILABLE',
      driver: () => driver,
      async begin() {
        await stepDown()
        // The client learns of the step-down a moment later.
        await vi.waitFor(() => expect(driver.ping()).rejects.toMatchObject({ code: 'UNAVAILABLE' }))
      },
      end: stepUp,
    },
  } as const
  troubleSuite({ describe, it }, troubles)

  it('takes no writes on a direct connection', async () => {
    const secondary = await driverOf({ url: direct })
    await stepDown()
    const write = secondary.write([session('a')], NOW)
    await expect(write).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { code: 10_107 },
    })
    await stepUp()
  })

  it('serves every call across a step-down', async () => {
    const patient = `${url}&serverSelectionTimeoutMS=30000`
    const store = new MongoStore({ url: patient, pruneInterval: false, operationTimeout: 30_000 })
    after(() => store.close())
    const cookie = { originalMaxAge: HOUR, path: '/' }
    const ids = keysOf(20)
    await Promise.all(ids.map((id) => store.set(id, { cookie, name: 'Ada' } as never)))
    await client.db('admin').command({ replSetStepDown: 1, force: true })
    await Promise.all(
      ids.map(async (id, i) => {
        const found = (await store.get(id))!
        if (i % 3 === 0) await store.destroy(id)
        else if (i % 3 === 1) await store.touch(id, found)
        else await store.set(id, { ...found, name: 'Bob' } as never)
      }),
    )
    const names = await Promise.all(ids.map(async (id) => (await store.get(id)) as { name?: string } | null))
    expect(names.map((found) => found?.name)).toEqual(ids.map((_, i) => [undefined, 'Ada', 'Bob'][i % 3]))
  })
})
