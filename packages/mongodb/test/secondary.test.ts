import { troubleSuite } from '@session-stores/conformance'
import { mongoReplicaSet } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { MongoClient } from 'mongodb'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { mongoDriver } from '../src/index.ts'
import { driverOf, NOW, session } from './support.ts'

describeWith('a member that is no primary', mongoReplicaSet, ({ url }) => {
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
        // The client hears of it a moment later.
        await vi.waitFor(() => expect(driver.ping()).rejects.toMatchObject({ code: 'UNAVAILABLE' }))
      },
      end: stepUp,
    },
  } as const
  troubleSuite({ describe, it }, troubles)

  it('takes no writes, asked directly', async () => {
    const secondary = await driverOf({ url: direct })
    await stepDown()
    const write = secondary.write([session('a')], NOW)
    await expect(write).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { code: 10_107 },
    })
    await stepUp()
  })
})
