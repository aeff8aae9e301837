import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { events, type SessionStore } from '@session-stores/core'
import { EXIT, Failure, Interrupted } from '../failure.ts'
import { print, progress, tell } from '../output.ts'
import { describeError, type Run } from '../run.ts'
import { openStore } from '../store/open.ts'
import { placeOf, readTarget, type StoreFlags, type Target } from '../store/target.ts'

/** The options of `list`. */
export interface ListFlags extends StoreFlags {
  user?: string
  limit?: number
  json?: boolean
}

/** The options of `revoke`. */
export interface RevokeFlags extends StoreFlags {
  user?: string
  all?: boolean
  yes?: boolean
  json?: boolean
}

/** The options of `prune`. */
export interface PruneFlags extends StoreFlags {
  json?: boolean
}

/** How many sessions are read at a time. */
const PAGE = 256
/** The form of a hashed id. Any other key is an id itself, and is never shown. */
const HASH = /^[\w-]{43}$/

const HEADER = `${'HANDLE'.padEnd(43)}  ${'CREATED'.padEnd(20)}  EXPIRES`

/** Opens the store of the options, does the work, and closes the store. */
async function withStore<T>(
  flags: StoreFlags,
  work: (store: SessionStore, target: Target) => Promise<T>,
): Promise<T> {
  const target = await readTarget(flags)
  try {
    const { store, close } = await openStore(target)
    try {
      return await work(store, target)
    } finally {
      await close()
    }
  } catch (error) {
    if (error instanceof Failure || error instanceof Interrupted) throw error
    throw new Failure(`${placeOf(target)}: ${describeError(error)}`, EXIT.failed, error)
  }
}

/** Prints the live sessions by their handles. */
export function listSessions(flags: ListFlags, run: Run): Promise<number> {
  return withStore(flags, async (store) => {
    const { user, limit = Number.POSITIVE_INFINITY, json } = flags
    let [shown, unhashed, unreadable] = [0, 0, 0]
    // A page may hold more sessions than it was asked for.
    let hasMore = false
    run.ifInterrupted('The list is not complete.')
    events.unreadable.subscribe(() => {
      unreadable++
    })
    let isBegun = json === true
    let after: string | undefined
    do {
      const page = await store.list({
        ...(user !== undefined && { user }),
        after,
        limit: Math.min(PAGE, limit - shown),
      })
      if (!isBegun) await print(HEADER)
      isBegun = true
      for (const { handle, createdAt, expiresAt } of page.sessions) {
        if (!HASH.test(handle)) unhashed++
        else if (shown === limit) hasMore = true
        else {
          shown++
          await print(toLine(handle, createdAt, expiresAt, json === true))
        }
      }
      after = page.next
    } while (after !== undefined && shown < limit && !run.signal.aborted)
    if ((hasMore || after !== undefined) && !run.signal.aborted)
      tell(`There may be more than ${shown} sessions (--limit).`)
    if (unhashed > 0)
      tell(
        `${unhashed} sessions are left out, because their ids are stored as they are. With hashIds: false, ` +
          'add --plain-ids to list handles of them.',
      )
    if (unreadable > 0) tell(`${unreadable} rows are left out, because they are no sessions.`)
    return EXIT.done
  })
}

function toLine(handle: string, createdAt: number, expiresAt: number, json: boolean): string {
  const [created, expires] = [toTime(createdAt), toTime(expiresAt)]
  return json
    ? JSON.stringify({ handle, createdAt: created, expiresAt: expires })
    : `${handle}  ${created.padEnd(20)}  ${expires}`
}

const toTime = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')

/** Ends sessions, from their next requests on. */
export async function revokeSessions(
  handle: string | undefined,
  flags: RevokeFlags,
  run: Run,
): Promise<number> {
  const { user, all, yes, json } = flags
  if ([handle, user, all].filter((one) => one !== undefined).length !== 1)
    throw new Failure('Say which sessions end: a handle, --user <user>, or --all --yes.')
  if (all && !yes && !process.stdin.isTTY)
    throw new Failure('revoke --all signs every user out. Add --yes if that is meant.')
  return withStore(flags, async (store) => {
    run.ifInterrupted('Some of the sessions may have ended. Run the same command again to end the others.')
    if (all) {
      const count = await store.length()
      if (!yes && !(await confirm(`End ${count} sessions?`, run.signal))) {
        tell('No session has ended.')
        return EXIT.failed
      }
      await store.clear()
      return report(count, json)
    }
    if (user !== undefined) return report(await store.revokeUser(user), json)
    const ended = await store.revoke(handle!)
    await report(ended ? 1 : 0, json)
    return ended ? EXIT.done : EXIT.found
  })
}

async function report(revoked: number, json: boolean | undefined): Promise<number> {
  const text = revoked === 1 ? '1 session has ended.' : `${revoked} sessions have ended.`
  await print(json ? JSON.stringify({ revoked }) : revoked === 0 ? 'No live session was found.' : text)
  return EXIT.done
}

async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  // The interface takes SIGINT from the terminal, so it must be passed on.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    // The end of the input is no answer: some versions of Node reject then, and others wait for ever.
    const ended = once(lines, 'close').then(() => '')
    const answered = lines.question(`${question} (y/N) `, { signal }).catch(() => '')
    const answer = await Promise.race([answered, ended])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}

/** Removes expired rows. */
export function pruneSessions(flags: PruneFlags, run: Run): Promise<number> {
  return withStore(flags, async (store, { database }) => {
    run.ifInterrupted('Run the command again to remove the other expired rows.')
    progress.start()
    const removed = await store.prune()
    if (flags.json) await print(JSON.stringify({ removed }))
    else if (database === 'redis')
      await print('Redis removes expired sessions by itself, so nothing is left to do.')
    else await print(`${removed} expired ${removed === 1 ? 'row was' : 'rows were'} removed.`)
    return EXIT.done
  })
}
