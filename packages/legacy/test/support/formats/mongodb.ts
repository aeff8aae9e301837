import { MongoStore } from '@session-stores/mongodb'
import MongoStore6, { createWebCryptoAdapter } from 'connect-mongo'
import MongoStore4 from 'connect-mongo-4'
import { MongoClient } from 'mongodb'
import { connectMongo } from '../../../src/index.ts'
import type { Format, Old, Place } from '../places.ts'

const SECRET = 'of-the-rows-of-connect-mongo'

const MONGO_DATABASE = 'legacy'

type MongoSettings = Partial<Parameters<typeof MongoStore6.create>[0]>

/** What `connectMongo` has to know of these settings. */
const mongoReader = ({ crypto, cryptoAdapter }: MongoSettings): object => ({
  ...(crypto && { crypto }),
  ...(cryptoAdapter && { cryptoAdapter }),
})

const openMongo =
  (Store: typeof MongoStore6, settings: () => MongoSettings = () => ({})) =>
  async ({ url, namespace }: Place): Promise<Old> => {
    const client = await new MongoClient(url).connect()
    const where = { dbName: MONGO_DATABASE, collectionName: `old_${namespace}` }
    const own = settings()
    // The type of the client is that of another version.
    const store = Store.create({ client: client as never, ...where, ...own, autoRemove: 'disabled' })
    return {
      store,
      reader: connectMongo({ client, ...where, ...mongoReader(own) }),
      corrupt: (id, text) =>
        client
          .db(where.dbName)
          .collection<{ _id: string }>(where.collectionName)
          .updateOne({ _id: id }, { $set: { session: text } }),
      close: () => client.close(),
    }
  }

const of4 = MongoStore4 as unknown as typeof MongoStore6

const openNew: Format['openNew'] = ({ url, namespace }, options) =>
  new MongoStore({ url, database: MONGO_DATABASE, collection: `new_${namespace}`, ...options })

export default {
  'connect-mongo-4': { open: openMongo(of4), openNew },
  'connect-mongo-6': { open: openMongo(MongoStore6), openNew },
  'connect-mongo-6-documents': {
    open: openMongo(MongoStore6, () => ({ stringify: false, touchAfter: 60 })),
    openNew,
  },
  'connect-mongo-4-kruptein': { open: openMongo(of4, () => ({ crypto: { secret: SECRET } })), openNew },
  'connect-mongo-6-webcrypto': {
    open: openMongo(MongoStore6, () => ({ cryptoAdapter: createWebCryptoAdapter({ secret: SECRET }) })),
    openNew,
  },
} as Readonly<Record<string, Format>>
