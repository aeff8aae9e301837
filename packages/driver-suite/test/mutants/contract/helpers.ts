import { setImmediate as turn } from 'node:timers/promises'
import { type Driver, memoryDriver, type Row, type Write } from '@session-stores/core'
import { toRow } from '../../../src/contract/fixture.ts'

/**
 * What the mutants of drivers share. Each mutant is a mistake that one line of a driver can make.
 */

/**
 * Returns the methods in which the mutant differs from the reference driver below it. Two mutants
 * share one reference driver, as two processes share a database.
 */
export type Mutant = (driver: Driver) => Partial<Driver>

export async function readRow(driver: Driver, key: string): Promise<Row | undefined> {
  return (await driver.read([key]))[0]
}

export const listKeys = async (driver: Driver): Promise<string[]> => (await driver.list({ limit: 1e6 })).keys
export const readAll = async (driver: Driver): Promise<Row[]> => driver.read(await listKeys(driver))

/** Stores exactly this row, even where the contract forbids it. */
export async function force(driver: Driver, row: Row): Promise<void> {
  await driver.write([{ ...row, tag: `not-${row.tag}`, expect: undefined, data: null, expiresAt: 0 }], 1)
  await driver.write([{ ...row, expect: row.data === null ? undefined : '' }], 1)
}

/** The mutant changes each write before it is decided. */
export const changeWrites =
  (change: (write: Write, row: Row | undefined, now: number) => Write): Mutant =>
  (driver) => ({
    async write(writes, now) {
      const changed = writes.map(async (write) => change(write, await readRow(driver, write.key), now))
      return driver.write(await Promise.all(changed), now)
    },
  })

/** The mutant changes the data of each session that is written. */
export const changePayload = (change: (data: string) => string | null): Mutant =>
  changeWrites((write) => ({ ...write, data: write.data === null ? null : change(write.data) }))

/** The mutant changes the row after a write has landed. */
export const changeLanded =
  (change: (write: Write, before: Row | undefined, now: number) => Partial<Row>): Mutant =>
  (driver) => ({
    async write(writes, now) {
      const before = new Map((await driver.read(writes.map(({ key }) => key))).map((row) => [row.key, row]))
      const keys = await driver.write(writes, now)
      for (const write of writes) {
        const row = await readRow(driver, write.key)
        if (row && keys.includes(write.key))
          await force(driver, { ...row, ...change(write, before.get(write.key), now) })
      }
      return keys
    },
  })

/** The mutant reports that the write has landed, and does nothing. */
export const pretendToWrite =
  (ignores: (write: Write, now: number) => boolean): Mutant =>
  (driver) => ({
    async write(writes, now) {
      const rest = writes.filter((write) => !ignores(write, now))
      const ignored = writes.filter((write) => ignores(write, now)).map(({ key }) => key)
      return [...(await driver.write(rest, now)), ...ignored]
    },
  })

/** The mutant moves each deadline to what `deadline` returns; `undefined` leaves it as it is. */
export const changeTouches =
  (deadline: (row: Row, expiresAt: number, now: number, tag?: string) => number | undefined): Mutant =>
  (driver) => ({
    async touch(touches, now) {
      for (const { key, expiresAt, tag } of touches) {
        const row = await readRow(driver, key)
        const moved = row && deadline(row, expiresAt, now, tag)
        if (moved !== undefined) await force(driver, { ...row!, expiresAt: moved })
      }
    },
  })

/** The mutant changes the keys of each page. */
export const changePages =
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

/** The mutant reads, decides and then writes, so two calls at once may both decide to write. */
export const lookThenWrite: Mutant = (driver) => ({
  async write(writes, now) {
    const scratch = memoryDriver()
    for (const row of await driver.read(writes.map(({ key }) => key))) await force(scratch, row)
    const keys = await scratch.write(writes, now)
    await turn()
    for (const row of await scratch.read(keys)) await force(driver, row)
    return keys
  },
})

/** The mutant reads, decides and then touches, so it may undo a write between the two. */
export const lookThenTouch: Mutant = (driver) => ({
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

/** The mutant refuses a write when another call has written meanwhile. */
export const lookThenGiveUp: Mutant = (driver) => ({
  async write(writes, now) {
    const keys = writes.map(({ key }) => key)
    const before = JSON.stringify(await driver.read(keys))
    await turn()
    return before === JSON.stringify(await driver.read(keys)) ? driver.write(writes, now) : []
  },
})

/** The mutant fails while another call of the same verb runs. */
export const failWhenBusy = (verb: 'setup' | 'prune' | 'write'): Mutant => {
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

/**
 * The mutant pages by offset, so rows that come or go meanwhile move the others to another page.
 */
export const pageByOffset: Mutant = (driver) => ({
  async list({ user, after = '0', limit }) {
    const { keys } = await driver.list({ user, limit: 1e6 })
    const end = Number(after) + limit
    return { keys: keys.slice(Number(after), end), next: end < keys.length ? String(end) : undefined }
  },
})

/** The mutant pages by deadline, so a row that is touched meanwhile moves to another page. */
export const pageByDeadline: Mutant = (driver) => ({
  async list({ user, after = '', limit }) {
    const toCursor = (row: Row) => `${String(row.expiresAt).padStart(16, '0')} ${row.key}`
    const rows = (await driver.read((await driver.list({ user, limit: 1e6 })).keys))
      .filter((row) => toCursor(row) > after)
      .sort((one, other) => (toCursor(one) < toCursor(other) ? -1 : 1))
    const page = rows.slice(0, limit)
    return {
      keys: page.map(({ key }) => key),
      next: rows.length > limit ? toCursor(page.at(-1)!) : undefined,
    }
  },
})

/** All reference drivers of one mutant, which clears all of them. */
export const stores: Set<Driver> = new Set<Driver>()

/**
 * The mutant changes the row after a write has replaced a live row, unless the write was sent
 * twice.
 */
export const changeReplaced = (change: (write: Write, row: Row) => Partial<Row>): Mutant =>
  changeLanded((write, before, now) =>
    before && isLive(before, now) && before.tag !== write.tag ? change(write, before) : {},
  )

/** The mutant makes a resent write again, as if it had not landed before. */
export const writeAgain = (kind: (write: Write) => boolean): Mutant =>
  changeLanded((write, before) => (before?.tag === write.tag && kind(write) ? toRow(write) : {}))

/** The mutant lands a resent write although another write has replaced it. */
export const landOverAnother = (kind: (write: Write) => boolean): Mutant => {
  return (driver) => {
    const sent = new Set<string>()
    return {
      async write(writes, now) {
        const keys = await driver.write(writes, now)
        for (const write of writes) {
          if (!keys.includes(write.key) && sent.has(write.tag) && kind(write)) {
            await force(driver, toRow(write))
            keys.push(write.key)
          }
          sent.add(write.tag)
        }
        return keys
      },
    }
  }
}

export const isCreate = ({ expect }: Write): boolean => expect === ''
export const isUpdate = ({ data, expect, extend }: Write): boolean => !!expect && !extend && data !== null
export const isExtending = ({ data, expect, extend }: Write): boolean => !!expect && !!extend && data !== null
export const isConditionalTombstone = ({ data, expect }: Write): boolean => !!expect && data === null

/**
 * The mutant makes one statement of touches with the same deadline, which checks the tag of the
 * first only.
 */
export const groupTouches: Mutant = (driver) => ({
  async touch(touches, now) {
    const tags = new Map<number, string | undefined>()
    for (const { expiresAt, tag } of touches) if (!tags.has(expiresAt)) tags.set(expiresAt, tag)
    await driver.touch(
      touches.map((touch) => (tags.get(touch.expiresAt) ? touch : { ...touch, tag: undefined })),
      now,
    )
  },
})
