import { setImmediate as turn } from 'node:timers/promises'
import { type Driver, memoryDriver, type Row, type Write } from '@session-stores/core'

/** Faults, each the work of one line in some driver: every rule must find at least one. */

/** What a faulty driver does otherwise than the reference driver under it. Two share one, as two processes. */
export type Mutant = (driver: Driver) => Partial<Driver>

const HOUR = 3_600_000

async function rowOf(driver: Driver, key: string): Promise<Row | undefined> {
  return (await driver.read([key]))[0]
}

const allKeys = async (driver: Driver): Promise<string[]> => (await driver.list({ limit: 1e6 })).keys
const allRows = async (driver: Driver): Promise<Row[]> => driver.read(await allKeys(driver))

/** Puts a row there, whatever the contract says. */
async function force(driver: Driver, row: Row): Promise<void> {
  await driver.write([{ ...row, tag: `not-${row.tag}`, expect: undefined, data: null, expiresAt: 0 }], 1)
  await driver.write([{ ...row, expect: row.data === null ? undefined : '' }], 1)
}

/** Writes land otherwise than they were asked for. */
const writing =
  (change: (write: Write, row: Row | undefined, now: number) => Write): Mutant =>
  (driver) => ({
    async write(writes, now) {
      const changed = writes.map(async (write) => change(write, await rowOf(driver, write.key), now))
      return driver.write(await Promise.all(changed), now)
    },
  })

const payload = (change: (data: string) => string | null): Mutant =>
  writing((write) => ({ ...write, data: write.data === null ? null : change(write.data) }))

/** Afterwards a row that landed is made another. */
const landed =
  (change: (write: Write, before: Row | undefined, now: number) => Partial<Row>): Mutant =>
  (driver) => ({
    async write(writes, now) {
      const before = new Map((await driver.read(writes.map(({ key }) => key))).map((row) => [row.key, row]))
      const keys = await driver.write(writes, now)
      for (const write of writes) {
        const row = await rowOf(driver, write.key)
        if (row && keys.includes(write.key))
          await force(driver, { ...row, ...change(write, before.get(write.key), now) })
      }
      return keys
    },
  })

/** Says that it landed, and does nothing. */
const pretending =
  (ignores: (write: Write, now: number) => boolean): Mutant =>
  (driver) => ({
    async write(writes, now) {
      const rest = writes.filter((write) => !ignores(write, now))
      const ignored = writes.filter((write) => ignores(write, now)).map(({ key }) => key)
      return [...(await driver.write(rest, now)), ...ignored]
    },
  })

const touching =
  (deadline: (row: Row, expiresAt: number, now: number, tag?: string) => number | undefined): Mutant =>
  (driver) => ({
    async touch(touches, now) {
      for (const { key, expiresAt, tag } of touches) {
        const row = await rowOf(driver, key)
        const moved = row && deadline(row, expiresAt, now, tag)
        if (moved !== undefined) await force(driver, { ...row!, expiresAt: moved })
      }
    },
  })

const listing =
  (page: (keys: string[], query: { user?: string; after?: string; limit: number }) => string[]): Mutant =>
  (driver) => ({
    async list(query) {
      const { keys, next } = await driver.list(query)
      return { keys: page(keys, query), next }
    },
  })

const isLive = (row: Row | undefined, now: number): boolean => row !== undefined && row.expiresAt > now
const isSession = (row: Row | undefined, now: number): boolean => isLive(row, now) && row!.data !== null

/** Looks, decides, and only then writes: two at once both think they may. */
const looksThenWrites: Mutant = (driver) => ({
  async write(writes, now) {
    const scratch = memoryDriver()
    for (const row of await driver.read(writes.map(({ key }) => key))) await force(scratch, row)
    const keys = await scratch.write(writes, now)
    await turn()
    for (const row of await scratch.read(keys)) await force(driver, row)
    return keys
  },
})

const looksThenTouches: Mutant = (driver) => ({
  async touch(touches, now) {
    const rows = await driver.read(touches.map(({ key }) => key))
    await turn()
    for (const row of rows) {
      const { expiresAt, tag = row.tag } = touches.find(({ key }) => key === row.key)!
      if (isSession(row, now) && tag === row.tag) await force(driver, { ...row, expiresAt })
    }
  },
  async write(writes, now) {
    await Promise.resolve()
    return driver.write(writes, now)
  },
})

/** Gives up where somebody else wrote meanwhile. */
const looksThenGivesUp: Mutant = (driver) => ({
  async write(writes, now) {
    const keys = writes.map(({ key }) => key)
    const before = JSON.stringify(await driver.read(keys))
    await turn()
    return before === JSON.stringify(await driver.read(keys)) ? driver.write(writes, now) : []
  },
})

const failsAtTwice = (verb: 'setup' | 'prune' | 'write'): Mutant => {
  return (driver) => {
    let busy = false
    async function alone<T>(call: () => T): Promise<Awaited<T>> {
      if (busy) throw new Error('mutant: busy')
      busy = true
      await turn()
      busy = false
      return await call()
    }
    return {
      setup: { setup: () => alone(() => driver.setup()) },
      prune: { prune: (before: number, limit: number) => alone(() => driver.prune(before, limit)) },
      write: { write: (writes: readonly Write[], now: number) => alone(() => driver.write(writes, now)) },
    }[verb]
  }
}

/** Pages by number of rows: what goes or comes meanwhile moves the rest. */
const pagesByOffset: Mutant = (driver) => ({
  async list({ user, after = '0', limit }) {
    const { keys } = await driver.list({ user, limit: 1e6 })
    const end = Number(after) + limit
    return { keys: keys.slice(Number(after), end), next: end < keys.length ? String(end) : undefined }
  },
})

/** Pages by deadline: what is touched meanwhile moves. */
const pagesByDeadline: Mutant = (driver) => ({
  async list({ user, after = '', limit }) {
    const place = (row: Row) => `${String(row.expiresAt).padStart(16, '0')} ${row.key}`
    const rows = (await driver.read((await driver.list({ user, limit: 1e6 })).keys))
      .filter((row) => place(row) > after)
      .sort((one, other) => (place(one) < place(other) ? -1 : 1))
    const page = rows.slice(0, limit)
    return { keys: page.map(({ key }) => key), next: rows.length > limit ? place(page.at(-1)!) : undefined }
  },
})

const stores = new Set<Driver>()

/** Changes a write that replaces a live row, unless it was sent twice. */
const replacing = (change: (write: Write, row: Row) => Partial<Row>): Mutant =>
  landed((write, before, now) =>
    before && isLive(before, now) && before.tag !== write.tag ? change(write, before) : {},
  )

/** What is sent twice is written again, as if it had not landed before. */
const writesAgain = (kind: (write: Write) => boolean): Mutant =>
  landed((write, before) => (before?.tag === write.tag && kind(write) ? asRow(write) : {}))

/** What was sent twice, and is not what stands there by now, lands. */
const landsOverAnother = (kind: (write: Write) => boolean): Mutant => {
  return (driver) => {
    const sent = new Set<string>()
    return {
      async write(writes, now) {
        const keys = await driver.write(writes, now)
        for (const write of writes) {
          if (!keys.includes(write.key) && sent.has(write.tag) && kind(write)) {
            await force(driver, asRow(write))
            keys.push(write.key)
          }
          sent.add(write.tag)
        }
        return keys
      },
    }
  }
}

const asRow = ({ key, data, tag, user, createdAt, expiresAt }: Row): Row => ({
  key,
  data,
  tag,
  user,
  createdAt,
  expiresAt,
})

const isCreate = ({ expect }: Write): boolean => expect === ''
const isUpdate = ({ data, expect, extend }: Write): boolean => !!expect && !extend && data !== null
const isExtending = ({ data, expect, extend }: Write): boolean => !!expect && !!extend && data !== null
const isConditionalTombstone = ({ data, expect }: Write): boolean => !!expect && data === null

/** Two touches with the same deadline are one statement, with the tag of the first. */
const groupsTouches: Mutant = (driver) => ({
  async touch(touches, now) {
    const tags = new Map<number, string | undefined>()
    for (const { expiresAt, tag } of touches) if (!tags.has(expiresAt)) tags.set(expiresAt, tag)
    await driver.touch(
      touches.map((touch) => (tags.get(touch.expiresAt) ? touch : { ...touch, tag: undefined })),
      now,
    )
  },
})

/** The rule that must find it, and the fault. */
export const mutants: Record<string, Mutant> = {
  'has-a-name': () => ({ name: '' }),
  'place-is-a-name': () => ({ place: 'redis://user:password@host/0' }),
  'place-differs-between-stores': () => ({ place: 'sessions' }),
  'setup-may-race': failsAtTwice('setup'),
  'setup-keeps-what-is-there': (driver) => ({ setup: () => driver.clear() }),
  'setup-takes-another-time-limit': (driver) => {
    let limit: number | undefined
    return {
      async setup(timeLimit = 5000) {
        if (limit !== undefined && limit !== timeLimit) throw new Error('mutant: it is set up already')
        limit = timeLimit
        await driver.setup(timeLimit)
      },
    }
  },
  'ping-tells-the-time': () => ({ ping: () => Math.floor(Date.now() / 1000) }),
  'ping-answers': () => ({
    ping() {
      throw new Error('mutant: no such command')
    },
  }),
  'close-may-be-called-again': () => {
    let closed = false
    return {
      async close() {
        if (closed) throw new Error('mutant: already closed')
        closed = true
      },
    }
  },
  'close-leaves-the-other-driver-open': (driver) => ({ close: () => driver.clear() }),

  'read-leaves-missing-rows-out': (driver) => ({
    async read(keys) {
      const rows = await driver.read(keys)
      const none = { data: '', tag: 'none', user: null, createdAt: 0, expiresAt: 0 }
      return keys.map((key) => rows.find((row) => row.key === key) ?? { key, ...none })
    },
  }),
  'read-returns-tombstones': (driver) => ({
    read: async (keys) => (await driver.read(keys)).filter(({ data }) => data !== null),
  }),
  'read-of-256-returns-each': (driver) => ({ read: (keys) => driver.read(keys.slice(0, 255)) }),
  'rows-read-are-copies': (driver) => {
    const cache = new Map<string, Row>()
    return {
      async read(keys) {
        const rows = await driver.read(keys)
        for (const row of rows) if (cache.get(row.key)?.tag !== row.tag) cache.set(row.key, row)
        return rows.map(({ key }) => cache.get(key)!)
      },
    }
  },
  'payload-empty-comes-back': payload((data) => data || null),
  'payload-null-text-comes-back': payload((data) => (data === 'null' ? null : data)),
  'payload-of-1-MiB-comes-back': payload((data) => data.slice(0, 1_000_000)),
  'payload-of-1-MiB-of-astral-text-comes-back': payload((data) => data.slice(0, 400_000)),
  'payload-astral-comes-back': payload((data) => data.replace(/[\u{10000}-\u{10ffff}]/gu, '\ufffd')),
  'payload-line-separators-comes-back': payload((data) => data.replace('\ufeff', '')),
  'payload-not-normalized-comes-back': payload((data) => data.normalize()),
  'payload-NUL-comes-back': payload((data) => data.split('\0')[0]!),
  'payload-digits-comes-back': payload((data) => (/^[\d.]+$/.test(data) ? String(Number(data)) : data)),
  'payload-JSON-comes-back': payload((data) =>
    data.startsWith('{') ? JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(data)).sort())) : data,
  ),
  'payload-whitespace-comes-back': payload((data) => data.trimEnd()),
  'text-that-reads-like-an-expression-is-text': writing((write, row) =>
    write.expect === '$tag' ? { ...write, expect: row?.tag } : write,
  ),
  'payload-quotes-comes-back': payload((data) => data.replaceAll("'", "''")),
  'keys-come-back-exactly': (driver) => ({
    write: (writes, now) =>
      driver.write(
        writes.map((write) => ({ ...write, key: write.key.slice(0, 767) })),
        now,
      ),
  }),
  'tags-come-back-exactly': writing((write) => ({ ...write, tag: write.tag.slice(0, 31) })),
  'users-come-back-exactly': writing((write) => ({ ...write, user: write.user?.toLowerCase() ?? null })),
  'deadlines-come-back-exactly': writing((write) => ({
    ...write,
    expiresAt: write.expiresAt - (write.expiresAt % 1000),
  })),
  'creation-times-come-back-exactly': writing((write) => ({
    ...write,
    createdAt: Math.min(write.createdAt, 2 ** 31),
  })),
  'deadlines-at-the-epoch-are-past': writing((write) => ({
    ...write,
    expiresAt: write.expiresAt || 8.64e15,
  })),
  'deadline-is-judged-by-the-time-given': (driver) => ({
    write: (writes) => driver.write(writes, Date.now()),
    touch: (touches) => driver.touch(touches, Date.now()),
    count: () => driver.count(Date.now()),
  }),

  'created-at-is-kept-by-update': replacing((write) => (write.extend ? {} : { createdAt: write.createdAt })),
  'created-at-is-kept-by-an-extending-update': replacing((write) =>
    write.extend ? { createdAt: write.createdAt } : {},
  ),
  'created-at-is-renewed-after-expiry': landed((_, before) =>
    before && before.data !== null ? { createdAt: before.createdAt } : {},
  ),
  'created-at-is-renewed-after-a-tombstone': landed((write, before) =>
    before?.data === null && write.data !== null ? { createdAt: before.createdAt } : {},
  ),
  'user-follows-each-write': writing((write, row) => ({ ...write, user: write.user ?? row?.user ?? null })),
  'deadline-follows-each-write': writing((write, row, now) =>
    isSession(row, now) && write.data !== null ? { ...write, extend: true } : write,
  ),
  'extend-keeps-a-later-deadline': writing((write) => ({ ...write, extend: false })),
  'extend-moves-the-deadline-later': replacing((write, row) =>
    write.extend && row.data !== null && write.data !== null ? { expiresAt: row.expiresAt } : {},
  ),
  'extend-is-decided-as-every-write': writing((write, row, now) =>
    write.extend && isLive(row, now) ? { ...write, expect: row!.tag } : write,
  ),
  'extend-over-a-tombstone-inherits-nothing': replacing((write, row) =>
    write.extend && row.data === null ? { expiresAt: Math.max(row.expiresAt, write.expiresAt) } : {},
  ),
  'extend-over-an-expired-row-inherits-nothing': landed((write, before) =>
    write.extend && before?.tag !== write.tag ? { createdAt: before?.createdAt ?? write.createdAt } : {},
  ),
  'extend-keeps-nothing-for-a-tombstone': replacing((write, row) =>
    write.extend && write.data === null ? { expiresAt: Math.max(row.expiresAt, write.expiresAt) } : {},
  ),
  'session-saved-past-its-deadline-is-over': pretending(
    (write, now) => write.data !== null && write.expiresAt <= now,
  ),
  'tombstone-is-stored-whole': writing((write) => (write.data === null ? { ...write, user: null } : write)),
  'tombstone-without-time-ends-the-session': pretending(
    (write, now) => write.data === null && write.expiresAt <= now,
  ),
  'tombstone-ends-with-its-deadline': writing((write, _, now) =>
    write.data === null && write.expiresAt > now ? { ...write, expiresAt: 8.64e15 } : write,
  ),
  'tombstone-is-final': pretending((write) => isConditionalTombstone(write)),
  'conditional-tombstone-without-time-ends-its-version-only': writing((write, _, now) =>
    isConditionalTombstone(write) && write.expiresAt <= now ? { ...write, expect: undefined } : write,
  ),
  'create-sent-twice-changes-nothing': landed((write, before, now) =>
    before?.tag === write.tag && isCreate(write) ? { createdAt: now } : {},
  ),
  'update-sent-twice-changes-nothing': landed((write, before) =>
    before?.tag === write.tag && isUpdate(write) ? { createdAt: write.createdAt } : {},
  ),
  'extending-update-sent-twice-changes-nothing': landed((write, before) =>
    before?.tag === write.tag && isExtending(write) ? { createdAt: write.createdAt } : {},
  ),
  'tombstone-sent-twice-changes-nothing': landed((write, before, now) =>
    before?.tag === write.tag && write.expect === undefined ? { expiresAt: now + HOUR } : {},
  ),
  'conditional-tombstone-sent-twice-changes-nothing': landed((write, before, now) =>
    before?.tag === write.tag && isConditionalTombstone(write) ? { expiresAt: now + HOUR } : {},
  ),
  'create-sent-twice-leaves-a-touched-deadline': writesAgain(isCreate),
  'update-sent-twice-leaves-a-touched-deadline': landed((write, before) =>
    before?.tag === write.tag && isUpdate(write) ? { expiresAt: write.expiresAt } : {},
  ),
  'extending-update-sent-twice-leaves-a-touched-deadline': landed((write, before) =>
    before?.tag === write.tag && isExtending(write)
      ? { expiresAt: Math.max(before.expiresAt, write.expiresAt) }
      : {},
  ),
  'create-sent-twice-leaves-what-another-wrote': landsOverAnother(isCreate),
  'update-sent-twice-leaves-what-another-wrote': landsOverAnother(isUpdate),
  'extending-update-sent-twice-leaves-what-another-wrote': landsOverAnother(isExtending),
  'conditional-tombstone-sent-twice-leaves-what-another-wrote': landsOverAnother(isConditionalTombstone),
  'batch-decides-each-row-alone': (driver) => ({
    async write(writes, now) {
      const scratch = memoryDriver()
      for (const row of await driver.read(writes.map(({ key }) => key))) await force(scratch, row)
      const keys = await scratch.write(writes, now)
      return keys.length === writes.length ? driver.write(writes, now) : []
    },
  }),
  'batch-of-256-lands': (driver) => ({ write: (writes, now) => driver.write(writes.slice(0, 255), now) }),
  'batch-of-256-extends-each-alone': (driver) => ({
    write: (writes, now) =>
      driver.write(
        writes.map((write) => ({ ...write, extend: writes.some(({ extend }) => extend) })),
        now,
      ),
  }),
  'tags-are-compared-exactly': writing((write, row) =>
    write.expect && row?.tag.toLowerCase() === write.expect.toLowerCase()
      ? { ...write, expect: row.tag }
      : write,
  ),
  'a-shorter-payload-replaces-a-longer-one': writing((write, row) =>
    write.data === null ? write : { ...write, data: write.data + (row?.data ?? '').slice(write.data.length) },
  ),
  'arguments-stay-as-they-are': (driver) => ({
    write(writes, now) {
      for (const write of writes) delete write.expect
      return driver.write(writes, now)
    },
  }),
  'write-leaves-other-rows-alone': (driver) => ({
    async write(writes, now) {
      const keys = await driver.write(writes, now)
      for (const row of await allRows(driver))
        for (const { data, key } of writes)
          if (data === null && row.key.startsWith(key)) await force(driver, { ...row, data: null })
      return keys
    },
  }),

  'touch-moves-the-deadline-later': touching((row, expiresAt, now) =>
    isSession(row, now) && expiresAt < row.expiresAt ? expiresAt : undefined,
  ),
  'touch-moves-the-deadline-earlier': touching((row, expiresAt, now) =>
    isSession(row, now) && expiresAt > row.expiresAt ? expiresAt : undefined,
  ),
  'touch-into-the-past-ends-the-session': touching((row, expiresAt, now) =>
    isSession(row, now) && expiresAt > now ? expiresAt : undefined,
  ),
  'touch-of-a-missing-row-creates-nothing': (driver) => ({
    async touch(touches, now) {
      await driver.touch(touches, now)
      for (const touch of touches)
        if (!(await rowOf(driver, touch.key)))
          await force(driver, { ...touch, data: '{}', tag: 'touched', createdAt: now })
    },
  }),
  'touch-of-an-expired-row-revives-nothing': touching((row, expiresAt, now) =>
    row.data !== null || isSession(row, now) ? expiresAt : undefined,
  ),
  'touch-leaves-a-tombstone-as-it-is': touching((row, expiresAt, now) =>
    isLive(row, now) ? expiresAt : undefined,
  ),
  'touch-of-an-expired-tombstone-revives-nothing': touching((row, expiresAt, now) =>
    isSession(row, now) || row.data === null ? expiresAt : undefined,
  ),
  'update-lands-after-a-touch': (driver) => ({
    async touch(touches, now) {
      await driver.touch(touches, now)
      for (const row of await driver.read(touches.map(({ key }) => key)))
        if (isSession(row, now)) await force(driver, { ...row, tag: `${row.tag}+` })
    },
  }),
  'touch-decides-each-row-alone': (driver) => ({
    async touch(touches, now) {
      const rows = await driver.read(touches.map(({ key }) => key))
      if (rows.length === touches.length && rows.every((row) => isSession(row, now)))
        await driver.touch(touches, now)
    },
  }),
  'touch-reaches-every-deadline': touching((row, expiresAt, now) =>
    isSession(row, now) ? Math.min(expiresAt, 9_999_999_999_999) : undefined,
  ),
  'touch-with-an-older-tag-moves-nothing': touching((row, expiresAt, now) =>
    isSession(row, now) ? expiresAt : undefined,
  ),
  'touch-with-the-current-tag-moves': touching((row, expiresAt, now, tag) =>
    isSession(row, now) && tag === undefined ? expiresAt : undefined,
  ),
  'touch-without-a-tag-moves-any-version': (driver) => ({
    touch: (touches, now) =>
      driver.touch(
        touches.map((touch) => ({ ...touch, tag: 'tag' in touch ? (touch.tag ?? '') : undefined })),
        now,
      ),
  }),
  'touch-of-256-with-and-without-tags-moves-the-right-ones': groupsTouches,
  'touch-of-256-moves-each': (driver) => ({
    touch: (touches, now) =>
      driver.touch(
        touches.map((touch) => ({ ...touch, expiresAt: touches[0]!.expiresAt })),
        now,
      ),
  }),

  'list-of-nothing-is-empty': (driver) => ({
    async list(query) {
      const page = await driver.list(query)
      return page.keys.length > 0 ? page : { keys: ['nothing'] }
    },
  }),
  'list-names-each-session-once': listing((keys, { after, limit }) =>
    after && keys.length < limit ? [] : keys,
  ),
  'list-of-a-user-names-each-of-its-sessions-once': (driver) => ({
    async list(query) {
      const page = await driver.list(query)
      return query.user === undefined ? page : { keys: page.keys }
    },
  }),
  'list-of-2500-comes-in-pages': (driver) => ({ list: ({ user }) => driver.list({ user, limit: 1e6 }) }),
  'list-comes-in-large-pages-too': (driver) => ({
    async list(query) {
      if (query.limit <= 101) return driver.list(query)
      const { keys } = await driver.list({ ...query, limit: 101 })
      return { keys }
    },
  }),
  'list-is-complete-while-sessions-come-and-go': pagesByOffset,
  'list-of-a-user-is-complete-while-sessions-come-and-go': pagesByOffset,
  'list-is-complete-while-sessions-are-used': pagesByDeadline,
  'list-of-a-user-is-complete-while-sessions-are-used': pagesByDeadline,
  'list-goes-on-past-dead-rows': (driver) => ({
    async list(query) {
      const { keys, next } = await driver.list(query)
      const alive = (await driver.read(keys)).filter(({ data }) => data !== null).map(({ key }) => key)
      return { keys: alive, next: alive.length > 0 ? next : undefined }
    },
  }),
  'list-finds-a-session-after-its-user-changed': (driver) => {
    const first = new Map<string, string>()
    return {
      write(writes, now) {
        for (const { key, user } of writes) if (user && !first.has(key)) first.set(key, user)
        return driver.write(writes, now)
      },
      async list(query) {
        const { keys, next } = await driver.list(query)
        return {
          keys: keys.filter((key) => !query.user || (first.get(key) ?? query.user) === query.user),
          next,
        }
      },
    }
  },
  'list-finds-a-session-that-was-extended': (driver) => ({
    async list(query) {
      const { keys, next } = await driver.list(query)
      const rows = await driver.read(keys)
      return { keys: rows.filter((row) => row.expiresAt <= row.createdAt + HOUR).map(({ key }) => key), next }
    },
  }),
  'count-counts-live-sessions': (driver) => ({
    count: async (now) => (await allRows(driver)).filter((row) => isLive(row, now)).length,
  }),
  'count-of-2500-is-exact': (driver) => ({ count: async (now) => Math.min(await driver.count(now), 1000) }),

  'prune-never-removes-a-live-row': (driver) => ({
    prune: (before, limit) => driver.prune(before + 2, limit),
  }),
  'prune-never-removes-what-lives-by-the-clock-of-the-database': (driver) => ({
    async prune(before, limit) {
      const over = (await allRows(driver)).filter((row) => row.expiresAt < before).slice(0, limit)
      for (const row of over)
        await driver.write([{ ...row, data: null, expect: undefined, tag: 'pruned', expiresAt: 0 }], 1)
      return driver.prune(before, limit)
    },
  }),
  'prune-removes-what-expired-long-ago': () => ({ prune: () => 0 }),
  'prune-works-in-bounded-steps': (driver) => ({ prune: (before) => driver.prune(before, 1e6) }),
  'prune-gets-past-sessions-that-were-extended': (driver) => ({
    async prune(before, limit) {
      const oldest = (await allRows(driver))
        .sort((one, other) => one.createdAt - other.createdAt)
        .slice(0, limit)
      return oldest.some((row) => row.expiresAt < before) ? driver.prune(before, limit) : 0
    },
  }),
  'prune-of-nothing-returns-zero': (driver) => ({
    prune: async (before, limit) => Math.max(1, await driver.prune(before, limit)),
  }),
  'prunes-side-by-side-do-no-harm': failsAtTwice('prune'),
  'clear-removes-every-row': (driver) => ({
    async clear() {
      const dead = (await allRows(driver)).filter(({ data }) => data === null)
      await driver.clear()
      for (const row of dead) await force(driver, row)
    },
  }),
  'clear-of-nothing-succeeds': (driver) => ({
    async clear() {
      if ((await allKeys(driver)).length === 0) throw new Error('mutant: no keys to delete')
      await driver.clear()
    },
  }),
  'clear-leaves-other-stores-alone': (driver) => {
    stores.add(driver)
    return {
      async clear() {
        for (const store of stores) await store.clear()
      },
    }
  },

  'writes-are-seen-by-the-other-process-at-once': (driver) => {
    const cache = new Map<string, Row[]>()
    return {
      async read(keys) {
        const cached = cache.get(keys.join()) ?? (await driver.read(keys))
        cache.set(keys.join(), cached)
        return cached
      },
    }
  },
  'every-call-may-run-beside-any-other': failsAtTwice('setup'),
  'one-of-two-creates-lands': looksThenWrites,
  'one-of-two-updates-lands': looksThenWrites,
  'both-of-two-tombstones-land': looksThenGivesUp,
  'both-of-two-resends-land': looksThenGivesUp,
  'destroy-beside-an-update-is-final': looksThenWrites,
  'conditional-destroy-beside-an-update-decides-for-one': looksThenWrites,
  'destroy-beside-a-create-is-final': looksThenWrites,
  'extend-beside-a-touch-keeps-the-later-deadline': looksThenWrites,
  'touch-with-a-tag-beside-an-update-leaves-its-deadline': looksThenTouches,
  'destroy-beside-a-touch-is-final': looksThenTouches,
  'touch-beside-an-update-loses-nothing': looksThenTouches,
  'batches-with-common-rows-never-fail': failsAtTwice('write'),

  'agrees-with-the-reference-driver': listing((keys) => keys.filter((key) => key !== 'c')),
}

/** Turns one decision round: refuses a write that lands, or lets one land that is refused or has landed before. */
export function decidesWrongly(verb: string, state: string, refuses: boolean): Mutant {
  return (driver) => ({
    async write(writes, now) {
      const wrong: Write[] = []
      for (const write of writes)
        if (verbOf(write) === verb && stateOf(await rowOf(driver, write.key), write, now) === state)
          wrong.push(write)
      const landed = await driver.write(
        writes.filter((write) => !wrong.includes(write)),
        now,
      )
      if (refuses) return landed
      for (const write of wrong) await force(driver, asRow(write))
      return [...landed, ...wrong.map(({ key }) => key)]
    },
  })
}

function verbOf({ data, expect }: Write): string {
  if (data === null) return expect === undefined ? 'tombstone' : 'conditional-tombstone'
  return expect === '' ? 'create' : 'update'
}

function stateOf(row: Row | undefined, { tag, expect }: Write, now: number): string {
  if (row === undefined) return 'missing-row'
  const kind = row.data === null ? 'tombstone' : 'session'
  if (row.expiresAt === now) return `${kind}-expiring-now`
  const own = row.tag === tag
  if (!isLive(row, now)) return own && row.data !== null ? 'expired-session-with-own-tag' : `expired-${kind}`
  const expected = row.tag === expect || row.tag === 'expected'
  return `${row.data === null ? 'live-' : ''}${kind}-with-${own ? 'own' : expected ? 'expected' : 'other'}-tag`
}
