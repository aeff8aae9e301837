import { join } from 'node:path'
import type { Subject } from '@session-stores/conformance'
import type { SessionData } from 'express-session'
import { folderPlace } from '../places.ts'
import { packages, prisma } from '../prisma.ts'

const { PrismaClient, PrismaBetterSqlite3, PrismaSessionStore } = await prisma()

const subject: Subject = {
  name: 'prisma-session-store',
  versions: {
    'prisma-session-store': packages['@quixo3/prisma-session-store']!,
    prisma: packages.prisma!,
  },
  accepts: ['ttl', 'ttlOf', 'pruneInterval'],
  async make({ ttl, ttlOf, pruneInterval }) {
    const { folder, close } = folderPlace()
    const url = `file:${join(folder, 'sessions.db')}`
    const open = () => new PrismaClient({ adapter: new PrismaBetterSqlite3({ url }) })
    const clients = [open(), open()] as const
    await clients[0].$executeRawUnsafe(
      'CREATE TABLE "Session" (id TEXT PRIMARY KEY, sid TEXT UNIQUE NOT NULL, data TEXT NOT NULL, expiresAt DATETIME NOT NULL)',
    )
    const options = {
      dbRecordIdIsSessionId: true,
      logger: false,
      ...(ttl !== undefined && { ttl }),
      ...(ttlOf && { ttl: (_options: object, session: SessionData) => ttlOf(session) }),
      // By default the store does not prune.
      ...(pruneInterval && { checkPeriod: pruneInterval }),
    }
    const store = (client: (typeof clients)[0]) => new PrismaSessionStore(client, options)
    const stores = [store(clients[0]), store(clients[1])] as const
    return {
      stores,
      stored: () => clients[0].session.count(),
      corrupt: async (id) =>
        void (await clients[0].session.updateMany({ where: { sid: id }, data: { data: '{"cookie":' } })),
      async dispose() {
        for (const store of stores) await store.shutdown()
        close()
      },
    }
  },
}

export default subject
