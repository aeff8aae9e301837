import { type Driver, events, type SessionEvent, SessionStore, SessionStoreError } from '@session-stores/core'
import { openDriver } from '../store/open.ts'
import { readSealKeys } from '../store/seal-keys.ts'
import type { Target } from '../store/target.ts'
import type { Examination } from './examination.ts'

/** How many sessions are looked at. */
const SAMPLE = 1000
/** How every sealed session begins, in any format. */
const SEALED = /^(format:\d+:)?sealed:/
const HASH = /^[\w-]{43}$/

const CHECKS = ['rows/unreadable', 'rows/too-new', 'rows/unsealed', 'rows/seal-broken', 'rows/unhashed']

/** What was seen of the rows. */
interface Seen {
  rows: number
  sealed: number
  unhashed: number
  codes: Record<string, number>
}

/** Looks at a sample of the sessions. `isSealed` says that all should be sealed. */
export async function examineRows(target: Target, exam: Examination, isSealed: boolean): Promise<void> {
  const keys = readSealKeys()
  const seen: Seen = { rows: 0, sealed: 0, unhashed: 0, codes: {} }
  try {
    await look(target, seen, keys)
  } catch (error) {
    if (!(error instanceof SessionStoreError)) throw error
    const cause = error.cause instanceof Error ? `: ${error.cause.message.split('\n')[0]}` : ''
    return exam.skip(CHECKS, `${error.message}${cause}`)
  }
  judge(exam, seen, keys !== undefined, isSealed)
}

async function look(target: Target, seen: Seen, keys: readonly string[] | undefined): Promise<void> {
  const { driver, close } = await openDriver(target)
  const count = (message: unknown) => {
    const { code = 'BACKEND' } = (message as SessionEvent).error as { code?: string }
    seen.codes[code] = (seen.codes[code] ?? 0) + 1
  }
  events.unreadable.subscribe(count)
  const store = new SessionStore(watch(driver, seen), {
    pruneInterval: false,
    operationTimeout: target.timeout,
    ...(keys && { seal: { keys } }),
  })
  try {
    await store.list({ limit: SAMPLE })
  } finally {
    events.unreadable.unsubscribe(count)
    await store.close()
    await close()
  }
}

/** Returns a driver that notes what it reads, and ends its list after the sample. */
function watch(driver: Driver, seen: Seen): Driver {
  return {
    ...driver,
    async list(query) {
      const page = await driver.list(query)
      return seen.rows + page.keys.length >= SAMPLE ? { keys: page.keys } : page
    },
    async read(keys) {
      const rows = await driver.read(keys)
      for (const row of rows) {
        if (row.data === null) continue
        seen.rows++
        if (!HASH.test(row.key)) seen.unhashed++
        if (SEALED.test(row.data)) seen.sealed++
      }
      return rows
    },
  }
}

function judge(exam: Examination, seen: Seen, hasKeys: boolean, isSealed: boolean): void {
  const { CORRUPT = 0, SEAL_BROKEN = 0, FORMAT_TOO_NEW = 0 } = seen.codes
  exam.check(
    'rows/unreadable',
    CORRUPT > 0,
    'error',
    `${CORRUPT} of ${seen.rows} sessions are no JSON with a cookie, so they count as errors in every request.`,
    'Find out who writes there. A store with a serializer of its own needs --ignore rows/unreadable.',
  )
  exam.check(
    'rows/too-new',
    FORMAT_TOO_NEW > 0,
    'error',
    `${FORMAT_TOO_NEW} of ${seen.rows} sessions are of a format that is newer than this version of the packages.`,
    'Upgrade the packages here, or set formatVersion of the newer processes back, and store the sessions again.',
  )
  const plain = seen.rows - seen.sealed
  exam.check(
    'rows/unsealed',
    plain > 0 && (hasKeys || isSealed || seen.sealed > 0),
    'warning',
    `${plain} of ${seen.rows} sessions are not sealed: whoever reads the database reads them.`,
    'Give every process the option seal. Each session is sealed with its next save, so the others end with their deadline.',
  )
  if (hasKeys || seen.sealed === 0)
    exam.check(
      'rows/seal-broken',
      SEAL_BROKEN > 0,
      'error',
      `${SEAL_BROKEN} of ${seen.sealed} sealed sessions do not open: their key is missing, or they were changed.`,
      'Keep every key in seal.keys until the last session that it sealed has ended.',
    )
  else exam.skip(['rows/seal-broken'], 'SESSION_STORES_SEAL_KEYS is not set')
  exam.check(
    'rows/unhashed',
    seen.unhashed > 0,
    'warning',
    `${seen.unhashed} of ${seen.rows} sessions are stored under their ids: whoever reads the database can be any user.`,
    'Leave the option hashIds on. The sessions that are stored already end with their deadline.',
  )
}
