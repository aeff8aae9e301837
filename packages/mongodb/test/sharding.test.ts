import { ok as holds } from 'node:assert/strict'
import { driverSuite } from '@session-stores/driver-suite'
import { mongoProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { type Document, MongoClient } from 'mongodb'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { mongoDriver } from '../src/index.ts'
import { SCHEMA_ID } from '../src/row.ts'
import { NOW, session } from './support/servers.ts'

/** The index that MongoDB makes when it shards by `{ _id: 'hashed' }`. */
const SHARD_KEY = { name: '_id_hashed', key: { _id: 'hashed' } }

/** The ids of sessions are texts, and that of the document with the schema is an object. */
const isId = (value: unknown): boolean =>
  typeof value === 'string' || JSON.stringify(value) === JSON.stringify(SCHEMA_ID)
/**
 * Whether the filter names the whole shard key by equality. A router requires that of upserts and
 * of writes to one document.
 */
const namesOne = ({ _id }: Document): boolean => isId(_id)
/** Whether the filter names one or several shard keys. */
const namesSome = ({ _id }: Document): boolean =>
  isId(_id) || (Array.isArray(_id?.$in) && _id.$in.every(isId))

/** Returns all values of shard keys in an update. */
function idsIn(update: unknown): unknown[] {
  if (update === null || typeof update !== 'object' || update instanceof Date) return []
  return Object.entries(update).flatMap(([name, value]) => (name === '_id' ? [value] : idsIn(value)))
}

/** Returns the kind of the statement, and throws where a router would refuse the statement. */
function kindOfUpdate({ q, u, multi, upsert }: Document): string {
  holds(multi && !upsert ? namesSome(q) : namesOne(q), 'the filter names the shard key')
  for (const id of idsIn(u)) holds(id === q._id, 'the shard key stays')
  return multi ? 'update of some' : upsert ? 'upsert' : 'update of one'
}

function kindOfDelete({ q, limit }: Document): string {
  holds(limit === 0 ? namesSome(q) : namesOne(q), 'the filter names the shard key')
  return limit === 0 ? 'delete of some' : 'delete of one'
}

function kindOfFind({ filter, limit }: Document): string {
  // A `find` on all shards compares and sorts, which each shard does alone, and the router merges.
  const visitsAll = limit !== undefined
  const isComparison = (value: unknown) =>
    isId(value) || /^\$[gl]t$/.test(Object.keys(value as object).join())
  holds(visitsAll ? Object.values(filter).every(isComparison) : namesSome(filter), 'the filter')
  return visitsAll ? 'find of any' : 'find of some'
}

/**
 * Returns the kinds of a command's parts. Throws where a router (mongos) would refuse the command
 * on a sharded collection.
 */
const kindsOf: Record<string, (command: Document) => string[]> = {
  update: ({ updates }) => updates.map(kindOfUpdate),
  delete: ({ deletes }) => deletes.map(kindOfDelete),
  find: (command) => [kindOfFind(command)],
  aggregate({ pipeline }) {
    const stages = pipeline.map((stage: object) => Object.keys(stage))
    holds(`${stages}` === '$match,$count', 'each shard counts for itself')
    return ['count']
  },
  createIndexes({ indexes }) {
    for (const { unique } of indexes) holds(unique === undefined, 'no index of a hashed collection is unique')
    return ['indexes']
  },
  killCursors: () => ['the end of a cursor'],
  hello: () => ['hello'],
  // The test itself sends `drop`.
  drop: () => [],
}

// The testbed has no router, so each command is checked against MongoDB's manual.
describeWith('commands for a router', mongoProcess, ({ url }) => {
  const client = new MongoClient(url, { monitorCommands: true })
  const observer = new MongoClient(url)
  afterAll(() => Promise.all([client.close(), observer.close()]))
  const kinds = new Set<string>()
  const refused: string[] = []
  client.on('commandStarted', ({ commandName, command }) => {
    try {
      holds(command.txnNumber === undefined, 'no transactions')
      for (const kind of kindsOf[commandName]!(command)) kinds.add(kind)
    } catch (error) {
      refused.push(`${commandName}: ${error}`)
    }
  })
  afterEach(() => expect(refused.splice(0)).toEqual([]))

  let count = 0
  /** Makes a deployment in a collection with the shard key's index, as sharding leaves one. */
  async function createDeployment() {
    const collection = `sessions${++count}`
    await observer.db('app').command({ createIndexes: collection, indexes: [SHARD_KEY] })
    const driver = () => mongoDriver({ client, database: 'app', collection })
    return {
      drivers: [driver(), driver()] as const,
      dispose: async () => void (await client.db('app').dropCollection(collection)),
    }
  }

  // The commands of another process could not be checked, so the races of two processes are left
  // out.
  driverSuite({ describe, it }, createDeployment, {
    only: ['contract'],
  })

  it('read an answer of more than 16 MiB in two parts', async () => {
    const { drivers, dispose } = await createDeployment()
    const rows = ['a', 'b'].map((key) => session(key, { data: 'x'.repeat(9_000_000) }))
    await drivers[0].write(rows, NOW)
    expect(await drivers[0].read(['a', 'b'])).toHaveLength(2)
    await dispose()
  })

  it('are of these kinds', () => {
    expect([...kinds].sort()).toEqual([
      ...['count', 'delete of one', 'delete of some', 'find of any', 'find of some', 'hello', 'indexes'],
      ...['the end of a cursor', 'update of one', 'update of some', 'upsert'],
    ])
  })

  it('leave a collection that MongoDB can shard by the hash of _id', async () => {
    const { drivers, dispose } = await createDeployment()
    await drivers[0].setup()
    const check = { checkShardingIndex: `app.sessions${count}`, keyPattern: SHARD_KEY.key }
    expect(await observer.db('admin').command(check)).toMatchObject({ ok: 1 })
    await dispose()
  })
})
