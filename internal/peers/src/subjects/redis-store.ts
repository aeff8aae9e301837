import type { Subject } from '@session-stores/conformance'
import { type DriverSubject, subjectOf } from '@session-stores/driver-suite'
import { redisDriver } from '@session-stores/redis'
import { redis, redisPlace } from '../places.ts'
import { readVersions } from '../versions.ts'

export const definition: DriverSubject = {
  name: 'RedisStore',
  follows: ['prefixes'],
  async make({ prefixes = ['', ''] }) {
    const { url, name, hooks, close } = await redisPlace()
    const driver = (prefix: string) => redisDriver({ url, prefix: `${name}:${prefix}` })
    return { drivers: [driver(prefixes[0]), driver(prefixes[1])], ...hooks, dispose: close }
  },
}

const subject: Subject = {
  ...subjectOf(definition),
  versions: readVersions(['@session-stores/redis', 'ioredis'], await redis()),
}

export default subject
