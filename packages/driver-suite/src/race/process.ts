/**
 * The other process of the race suite: `node process.ts <module> <config>`. The module's default export makes
 * a driver of the configuration, which is JSON. It reads the sessions that its parent names, saves them late
 * when it is told to, and says how many of the saves came too late.
 */
import { type Driver, SessionStore, SessionStoreError } from '@session-stores/core'
import { HOUR, load, type RequestSession } from '../policy/fixture.ts'
import { chunks, LATE, type LateName } from './late.ts'

/** From the parent: read these sessions; then save them. */
export type Order = { read: string[] } | { late: LateName }
/** To the parent, when it is done. */
export interface Report {
  gone: number
}

const [module, config] = process.argv.slice(2) as [string, string]
const { default: driverOf } = (await import(module)) as { default(config: unknown): Driver }
const store = new SessionStore(driverOf(JSON.parse(config)), { tombstoneTimeout: HOUR, onGone: 'error' })
let read: [id: string, session: RequestSession][] = []

async function follow(order: Order): Promise<Report> {
  let gone = 0
  if ('read' in order) {
    const sessions = order.read.map(async (id) => [id, await load(store, id)] as [string, RequestSession])
    read = await Promise.all(sessions)
  } else
    await chunks(read, ([id, session]) =>
      LATE[order.late](store, id, session).catch((error: unknown) => {
        if (!(error instanceof SessionStoreError) || error.code !== 'GONE') throw error
        gone++
      }),
    )
  return { gone }
}

process.on('message', async (order: Order) => process.send!(await follow(order)))
process.on('disconnect', () => store.close())
