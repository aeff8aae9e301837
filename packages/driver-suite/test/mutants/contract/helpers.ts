import { setImmediate as turn } from 'node:timers/promises'
import { type Driver, memoryDriver, type Row, type Write } from '@session-stores/core'

/** Faults, each the work of one line in some driver: every rule must find at least one. */

/** What a faulty driver does otherwise than the reference driver under it. Two share one, as two processes. */
export type Mutant = (driver: Driver) => Partial<Driver>

export const HOUR = 3_600_000

export async function rowOf(driver: Driver, key: string): Promise<Row | undefined> {
  return (await driver.read([key]))[0]
}

export const allKeys = async (driver: Driver): Promise<string[]> => (await driver.list({ limit: 1e6 })).keys
export const allRows = async (driver: Driver): Promise<Row[]> => driver.read(await allKeys(driver))

/** Puts a row there, whatever the contract says. */
export async function force(driver: Driver, row: Row): Promise<void> {
  await driver.write([{ ...row, tag: `not-${row.tag}`, expect: undefined, data: null, expiresAt: 0 }], 1)
  await driver.write([{ ...row, expect: row.data === null ? undefined : '' }], 1)
}

/** Writes land otherwise than they were asked for. */
export const writing =
  (change: (write: Write, row: Row | undefined, now: number) => Write): Mutant =>
  (driver) => ({
    async write(writes, now) {
      const changed = writes.map(async (write) => change(write, await rowOf(driver, write.key), now))
      return driver.write(await Promise.all(changed), now)
    },
  })

export const payload = (change: (data: string) => string | null): Mutant =>
  writing((write) => ({ ...write, data: write.data === null ? null : change(write.data) }))

/** Afterwards a row that landed is made another. */
export const landed =
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
export const pretending =
  (ignores: (write: Write, now: number) => boolean): Mutant =>
  (driver) => ({
    async write(writes, now) {
      const rest = writes.filter((write) => !ignores(write, now))
      const ignored = writes.filter((write) => ignores(write, now)).map(({ key }) => key)
      return [...(await driver.write(rest, now)), ...ignored]
    },
  })

export const touching =
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

export const listing =
  (page: (keys: string[], query: { user?: string; after?: string; limit: number }) => string[]): Mutant =>
  (driver) => ({
    async list(query) {
      const { keys, next } = await driver.list(query)
      return { keys: page(keys, query), next }
    },
  })

export const isLive = (row: Row | undefined, now: number): boolean => row !== undefined && row.expiresAt > now
export const isSession = (row: Row | undefined, now: number): boolean =>
  isLive(row, now) && row!.data !== null

/** Looks, decides, and only then writes: two at once both think they may. */
export const looksThenWrites: Mutant = (driver) => ({
  async write(writes, now) {
    const scratch = memoryDriver()
    for (const row of await driver.read(writes.map(({ key }) => key))) await force(scratch, row)
    const keys = await scratch.write(writes, now)
    await turn()
    for (const row of await scratch.read(keys)) await force(driver, row)
    return keys
  },
})

export const looksThenTouches: Mutant = (driver) => ({
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
export const looksThenGivesUp: Mutant = (driver) => ({
  async write(writes, now) {
    const keys = writes.map(({ key }) => key)
    const before = JSON.stringify(await driver.read(keys))
    await turn()
    return before === JSON.stringify(await driver.read(keys)) ? driver.write(writes, now) : []
  },
})

export const failsAtTwice = (verb: 'setup' | 'prune' | 'write'): Mutant => {
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
export const pagesByOffset: Mutant = (driver) => ({
  async list({ user, after = '0', limit }) {
    const { keys } = await driver.list({ user, limit: 1e6 })
    const end = Number(after) + limit
    return { keys: keys.slice(Number(after), end), next: end < keys.length ? String(end) : undefined }
  },
})

/** Pages by deadline: what is touched meanwhile moves. */
export const pagesByDeadline: Mutant = (driver) => ({
  async list({ user, after = '', limit }) {
    const place = (row: Row) => `${String(row.expiresAt).padStart(16, '0')} ${row.key}`
    const rows = (await driver.read((await driver.list({ user, limit: 1e6 })).keys))
      .filter((row) => place(row) > after)
      .sort((one, other) => (place(one) < place(other) ? -1 : 1))
    const page = rows.slice(0, limit)
    return { keys: page.map(({ key }) => key), next: rows.length > limit ? place(page.at(-1)!) : undefined }
  },
})

export const stores: Set<Driver> = new Set<Driver>()

/** Changes a write that replaces a live row, unless it was sent twice. */
export const replacing = (change: (write: Write, row: Row) => Partial<Row>): Mutant =>
  landed((write, before, now) =>
    before && isLive(before, now) && before.tag !== write.tag ? change(write, before) : {},
  )

/** What is sent twice is written again, as if it had not landed before. */
export const writesAgain = (kind: (write: Write) => boolean): Mutant =>
  landed((write, before) => (before?.tag === write.tag && kind(write) ? asRow(write) : {}))

/** What was sent twice, and is not what stands there by now, lands. */
export const landsOverAnother = (kind: (write: Write) => boolean): Mutant => {
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

export const asRow = ({ key, data, tag, user, createdAt, expiresAt }: Row): Row => ({
  key,
  data,
  tag,
  user,
  createdAt,
  expiresAt,
})

export const isCreate = ({ expect }: Write): boolean => expect === ''
export const isUpdate = ({ data, expect, extend }: Write): boolean => !!expect && !extend && data !== null
export const isExtending = ({ data, expect, extend }: Write): boolean => !!expect && !!extend && data !== null
export const isConditionalTombstone = ({ data, expect }: Write): boolean => !!expect && data === null

/** Two touches with the same deadline are one statement, with the tag of the first. */
export const groupsTouches: Mutant = (driver) => ({
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
