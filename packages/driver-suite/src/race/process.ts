/**
 * The other process of the race suite: `node process.ts <module> <config>`. The default export of
 * the module makes a driver from the configuration, which is JSON. The process reads the sessions
 * that its parent names, saves them late when the parent says so, and reports how many of these
 * saves the store rejected.
 */
import { type Driver, SessionStore, SessionStoreError } from '@session-stores/core'
import { HOUR, runInChunks } from '../common.ts'
import { load, type RequestSession } from '../policy/sessions.ts'
import { LATE_CALLS, type LateName } from './late.ts'

/**
 * An order of the parent: first to read these sessions, then to make the late call for each of
 * them.
 */
export type Order = { read: string[] } | { late: LateName }
/** The message to the parent when an order is done. */
export interface Report {
  /** How many calls were rejected with `GONE`. */
  gone: number
}

const [module, config] = process.argv.slice(2) as [string, string]
const { default: makeDriver } = (await import(module)) as { default(config: unknown): Driver }
const store = new SessionStore(makeDriver(JSON.parse(config)), { tombstoneTimeout: HOUR, onGone: 'error' })
let read: [id: string, session: RequestSession][] = []

async function follow(order: Order): Promise<Report> {
  let gone = 0
  if ('read' in order) {
    const sessions = order.read.map(async (id) => [id, await load(store, id)] as [string, RequestSession])
    read = await Promise.all(sessions)
  } else
    await runInChunks(read, 10, ([id, session]) =>
      LATE_CALLS[order.late](store, id, session).catch((error: unknown) => {
        if (!(error instanceof SessionStoreError) || error.code !== 'GONE') throw error
        gone++
      }),
    )
  return { gone }
}

process.on('message', async (order: Order) => process.send!(await follow(order)))
process.on('disconnect', () => store.close())
