import { Floor, NEAR, SEAL, type Subjects, user } from './subject.ts'

export const mongodbSubjects: Subjects = {
  async 'ours-mongodb'({ urls }) {
    const { MongoStore } = await import('@session-stores/mongodb')
    const store = new MongoStore({ url: urls[0]! })
    return { store, prune: () => store.prune() }
  },
  async 'ours-mongodb-near'({ urls }) {
    const { MongoStore } = await import('@session-stores/mongodb')
    return { store: new MongoStore({ url: urls[0]!, ...NEAR }) }
  },
  async 'ours-mongodb-user'({ urls }) {
    const { MongoStore } = await import('@session-stores/mongodb')
    return { store: new MongoStore({ url: urls[0]!, user }) }
  },
  async 'ours-mongodb-sealed'({ urls }) {
    const { MongoStore } = await import('@session-stores/mongodb')
    return { store: new MongoStore({ url: urls[0]!, seal: SEAL }) }
  },
  async 'connect-mongo'({ urls }) {
    const { default: MongoStore } = await import('connect-mongo')
    return { store: MongoStore.create({ mongoUrl: urls[0]! }) }
  },
  async 'floor-mongodb'({ urls }) {
    const { MongoClient } = await import('mongodb')
    const client = await new MongoClient(urls[0]!).connect()
    const sessions = client.db().collection<{ _id: string; data: string; deadline: Date }>('floor')
    return {
      store: new Floor({
        read: async (id) => (await sessions.findOne({ _id: id, deadline: { $gt: new Date() } }))?.data,
        write: (id, data, deadline) =>
          sessions.updateOne({ _id: id }, { $set: { data, deadline: new Date(deadline) } }, { upsert: true }),
        touch: (id, deadline) => sessions.updateOne({ _id: id }, { $set: { deadline: new Date(deadline) } }),
        remove: (id) => sessions.deleteOne({ _id: id }),
      }),
    }
  },
}
