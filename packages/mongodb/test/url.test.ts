import { mongoReplicaSet } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { expect, it } from 'vitest'
import { mongoDriver } from '../src/index.ts'
import { driverOf } from './support/servers.ts'

it.each([
  'mongodb+srv://ann:hunter2@cluster.example.net/app?retryWrites=true&w=majority',
  'mongodb://ann:p%40ss%2Fw%3Ard@one:27017,two:27018,[::1]:27019/app?replicaSet=set&tls=true',
  'mongodb://%2Ftmp%2Fmongodb-27017.sock/app',
])('a URL that the client takes is accepted (%#)', (url) => {
  expect(mongoDriver({ url })).toMatchObject({ name: 'mongodb' })
})

describeWith('a URL of several hosts', mongoReplicaSet, ({ url }) => {
  it('is accepted where one of them is missing', async () => {
    const driver = await driverOf({ url: url.replace('://', '://127.0.0.1:1,') })
    expect(Math.abs((await driver.ping()) - Date.now())).toBeLessThan(60_000)
  })
})
