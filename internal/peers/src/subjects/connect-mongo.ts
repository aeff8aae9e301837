import type { Subject } from '@session-stores/conformance'
import MongoStore, { createWebCryptoAdapter } from 'connect-mongo'
import { MongoClient } from 'mongodb'
import { mongodb, mongoPlace } from '../places.ts'
import { readVersions } from '../versions.ts'

const subject: Subject = {
  name: 'connect-mongo',
  versions: readVersions(['connect-mongo', 'mongodb'], await mongodb()),
  accepts: ['ttl', 'secrets', 'touchAfter', 'tables', 'pruneInterval'],
  async make({ ttl, secrets, touchAfter, tables, pruneInterval }) {
    const place = await mongoPlace()
    const database = tables ? place.name : 'peers'
    const store = (i: 0 | 1): MongoStore => {
      const secret = secrets?.[i]
      return MongoStore.create({
        mongoUrl: place.url,
        mongoOptions: { serverSelectionTimeoutMS: 2000 },
        dbName: database,
        collectionName: tables?.[i] ?? place.name,
        ...(pruneInterval === false && { autoRemove: 'disabled' as const }),
        // In minutes.
        ...(pruneInterval && {
          autoRemove: 'interval' as const,
          autoRemoveInterval: pruneInterval / 60_000,
        }),
        ...(touchAfter !== undefined && { touchAfter: touchAfter / 1000 }),
        ...(ttl !== undefined && { ttl: ttl / 1000 }),
        ...(secret !== undefined && { cryptoAdapter: createWebCryptoAdapter({ secret }) }),
      })
    }
    const stores = [store(0), store(1)] as const
    // The store creates its index in the background, which fails silently if the store is closed
    // before.
    for (const one of stores) await new Promise((resolve) => one.get('nobody', resolve))
    return {
      stores,
      ...place.hooks,
      async corrupt(_id) {
        await using client = new MongoClient(place.direct)
        await client
          .db('peers')
          .collection(place.name)
          .updateMany({}, { $set: { session: '{"cookie":' } })
      },
      async stored() {
        await using client = new MongoClient(place.direct)
        return await client.db(database).collection(place.name).countDocuments()
      },
      async move(from, to) {
        await using client = new MongoClient(place.direct)
        const rows = client.db('peers').collection<{ _id: string }>(place.name)
        const { _id, ...row } = (await rows.findOne({ _id: from }))!
        await rows.replaceOne({ _id: to }, row)
      },
      async dispose() {
        await Promise.all(stores.map((store) => store.close()))
        await place.close()
      },
    }
  },
}

export default subject
