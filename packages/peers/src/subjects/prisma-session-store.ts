import { join } from 'node:path'
import type { Subject } from '@session-stores/conformance'
import { folderPlace } from '../places.ts'
import { packages, prisma } from '../prisma.ts'

const { PrismaClient, PrismaBetterSqlite3, PrismaSessionStore } = await prisma()

const subject: Subject = {
  name: 'prisma-session-store',
  versions: {
    'prisma-session-store': packages['@quixo3/prisma-session-store']!,
    prisma: packages.prisma!,
  },
  accepts: ['ttl'],
  async make({ ttl }) {
    const { folder, close } = folderPlace()
    const url = `file:${join(folder, 'sessions.db')}`
    const open = () => new PrismaClient({ adapter: new PrismaBetterSqlite3({ url }) })
    const clients = [open(), open()] as const
    await clients[0].$executeRawUnsafe(
      'CREATE TABLE "Session" (id TEXT PRIMARY KEY, sid TEXT UNIQUE NOT NULL, data TEXT NOT NULL, expiresAt DATETIME NOT NULL)',
    )
    const options = { dbRecordIdIsSessionId: true, logger: false, ...(ttl !== undefined && { ttl }) }
    return {
      stores: [new PrismaSessionStore(clients[0], options), new PrismaSessionStore(clients[1], options)],
      corrupt: async (id) =>
        void (await clients[0].session.updateMany({ where: { sid: id }, data: { data: '{"cookie":' } })),
      async dispose() {
        for (const client of clients) await client.$disconnect()
        close()
      },
    }
  },
}

export default subject
