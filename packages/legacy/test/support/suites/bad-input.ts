import { expect, it, vi } from 'vitest'
import { migrate } from '../../../src/index.ts'
import type { Suite } from '../describe.ts'
import { formats, makeSession, newest, saveOld, takeOver } from '../places.ts'

const HOUR = 3_600_000
const ids = Array.from({ length: 12 }, (_, i) => `id-${i}`)

export const badInputSuite: Suite = (makeSite, format) => {
  if (!newest.includes(format)) return

  it('counts what cannot move in, loses nothing, and goes on', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { old, open } = await makeSite()
    for (const id of ids) await saveOld(old, id, makeSession(HOUR, { user: 'ann' }))
    const broken = ['{"cookie":', '{"user":"ann"}', 'null', '[]', 'x']
    for (const [i, text] of broken.entries()) await old.corrupt(ids[i]!, text)
    const store = await open(takeOver(old, { keep: true }))
    for (const id of ids.slice(0, broken.length)) {
      expect(await store.get(id)).toBeNull()
      expect(await store.get(id)).toBeNull()
    }
    expect(warn.mock.calls.length).toBeLessThanOrEqual(2)
    for (const [text] of warn.mock.calls) expect(String(text)).not.toMatch(/\bann\b|id-/)
    const report = { moved: 7, present: 0, ended: 0, expired: 0, unreadable: 5 }
    expect(await migrate(store, old.reader)).toEqual(report)
    expect(await migrate(store, old.reader)).toEqual({ ...report, moved: 0 })
    expect(await old.reader.count()).toBe(5)
    warn.mockRestore()
  })

  it('takes an expired session for none', async () => {
    const { old, open } = await makeSite()
    await saveOld(old, 'short', makeSession(HOUR))
    await saveOld(old, 'long', makeSession(9 * HOUR))
    let now = Date.now()
    const store = await open({ ...takeOver(old), now: () => now })
    now += 2 * HOUR
    // Redis measures the rest of a session's life by its own clock.
    if (formats[format] === 'redis') return
    expect(await store.get('short')).toBeNull()
    expect(await migrate(store, old.reader)).toMatchObject({ moved: 1, expired: 1, unreadable: 0 })
  })

  it('stops before the first move where no row fits the reader', async () => {
    const { old, open } = await makeSite()
    for (const id of ids) {
      await saveOld(old, id, makeSession(HOUR, { user: 'ann' }))
      await old.corrupt(id, '{"_expire":1,"_maxAge":1}')
    }
    const store = await open()
    const failure = await migrate(store, old.reader).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'BAD_STORAGE' })
    expect(String(failure)).toMatch(/none of the first 12 rows is a readable session of /)
    expect(await store.length()).toBe(0)
    expect(await old.reader.count()).toBe(ids.length)
  })

  it('goes on where it was stopped, at the given rate', async () => {
    const { old, open } = await makeSite()
    for (const id of ids) await saveOld(old, id, makeSession(HOUR, { user: 'ann' }))
    const store = await open()
    const stop = new AbortController()
    const moveIn = vi.spyOn(store, 'moveIn')
    moveIn.mockImplementation(async (...args) => {
      if (args[1].id !== '') stop.abort()
      return Object.getPrototypeOf(Object.getPrototypeOf(store)).moveIn.apply(store, args)
    })
    const first = await migrate(store, old.reader, { rate: 5, signal: stop.signal })
    expect(first.moved).toBeGreaterThan(0)
    expect(first.moved).toBeLessThan(ids.length)
    const progress: unknown[] = []
    const second = await migrate(store, old.reader, {
      after: first.next,
      onProgress: (report) => progress.push(report),
    })
    expect(first.moved + second.moved).toBe(ids.length)
    expect(second.next).toBeUndefined()
    expect(progress.at(-1)).toMatchObject({ moved: second.moved, total: ids.length - first.moved })
  })
}
