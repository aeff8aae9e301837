import { mongoProcess, mongoReplicaSet } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { type Db, MongoClient } from 'mongodb'
import { expect, test } from 'vitest'
import { doctor, expectFound, expectHealthy } from '../doctor.ts'
import { flagsOf, newPlace, openStore, type Place, saveSessions } from '../places.ts'

async function withDb<T>(url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const client = new MongoClient(url)
  try {
    return await work(client.db())
  } finally {
    await client.close()
  }
}

async function makeCollection(url: string): Promise<Place> {
  const place = newPlace('mongodb', url)
  await saveSessions(openStore(place), 1)
  after(() => withDb(url, (db) => db.dropCollection(place.namespace)))
  return place
}

/** The faults of a MongoDB. */
export function declareMongo(): void {
  describeWith(
    'doctor on MongoDB, a replica set',
    () => mongoReplicaSet(),
    ({ url }) => {
      const admin = (command: Record<string, unknown>) => withDb(url, (db) => db.admin().command(command))

      test('says that a replica set is healthy', async () => {
        await expectHealthy(flagsOf(await makeCollection(url)))
      })

      test('finds mongodb/write-concern', async () => {
        const place = await makeCollection(url)
        await expectFound(['mongodb/write-concern'], flagsOf({ ...place, url: `${url}&w=1` }))
      })

      test('finds mongodb/journal', async () => {
        const place = await makeCollection(url)
        const set = async (value: boolean) => {
          const { config } = await admin({ replSetGetConfig: 1 })
          const version = config.version + 1
          await admin({ replSetReconfig: { ...config, version, writeConcernMajorityJournalDefault: value } })
        }
        after(() => set(true))
        await set(false)
        await expectFound(['mongodb/journal'], flagsOf(place))
      })

      test('finds mongodb/ttl-monitor', async () => {
        const place = await makeCollection(url)
        after(() => admin({ setParameter: 1, ttlMonitorEnabled: true }))
        await admin({ setParameter: 1, ttlMonitorEnabled: false })
        await expectFound(['mongodb/ttl-monitor'], flagsOf(place))
      })

      test.each([
        ['mongodb/ttl-index', 'purgeAt_1'],
        ['mongodb/user-index', 'user_1__id_1'],
      ])('finds %s, and does not make the index', async (id, index) => {
        const place = await makeCollection(url)
        await withDb(url, (db) => db.collection(place.namespace).dropIndex(index))
        await expectFound([id], flagsOf(place))
        const indexes = await withDb(url, (db) => db.collection(place.namespace).indexes())
        expect(indexes.map(({ name }) => name)).not.toContain(index)
      })

      test('finds mongodb/no-collection, and makes none', async () => {
        const place = newPlace('mongodb', url)
        await expectFound(['mongodb/no-collection'], flagsOf(place))
        const found = await withDb(url, (db) => db.listCollections({ name: place.namespace }).toArray())
        expect(found).toEqual([])
      })

      test('finds legacy/connect-mongo among the sessions', async () => {
        const place = await makeCollection(url)
        const legacy = { _id: 'id' as never, expires: new Date(), session: '{"cookie":{}}' }
        await withDb(url, (db) => db.collection(place.namespace).insertOne(legacy))
        await expectFound(['legacy/connect-mongo'], flagsOf(place))
      })
    },
  )

  describeWith(
    'doctor on MongoDB, a single server',
    () => mongoProcess({ password: 'p@ss/word' }),
    ({ url }) => {
      const env = { SESSION_STORES_URL: url }
      const flags = ({ namespace }: Place) => ['--collection', namespace]

      test('finds mongodb/standalone', async () => {
        await expectFound(['mongodb/standalone'], flags(await makeCollection(url)), env)
      })

      test('finds mongodb/rights, and prints no password', async () => {
        const place = await makeCollection(url)
        const password = 'that-of-the-reader'
        const user = { createUser: 'reader', pwd: password, roles: [{ role: 'read', db: 'test' }] }
        await withDb(url, (db) => db.admin().command(user))
        const readers = { SESSION_STORES_URL: url.replace(/\/\/.*@/, `//reader:${password}@`) }
        const outcome = await doctor([...flags(place), '--ignore', 'mongodb/standalone'], readers)
        expect(outcome.report.findings.map(({ id }) => id)).toEqual(['mongodb/rights'])
        expect(outcome.report.findings[0]!.message).toContain('insert, update, remove, createIndex')
        expect(outcome.stdout).not.toContain(password)
      })
    },
  )
}
