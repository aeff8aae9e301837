import { afterEach, describe, expect, it, vi } from 'vitest'
import { memoryDriver, SessionStore } from '../src/index.ts'

const cookie = { originalMaxAge: 60_000, path: '/' }
const everything = { now: new Date('2001-02-03') }

describe('a store under fake timers', () => {
  afterEach(() => void vi.useRealTimers())

  it('answers its calls, also those about the whole store', async () => {
    const store = new SessionStore(memoryDriver(), { user: () => 'ann' })
    vi.useFakeTimers(everything)
    await store.set('an-id', { cookie } as never)
    expect(await store.get('an-id')).toMatchObject({ cookie: { originalMaxAge: 60_000 } })
    await store.touch('an-id', { cookie } as never)
    await Promise.all(Array.from({ length: 200 }, (_, i) => store.set(`id-${i}`, { cookie } as never)))
    expect(await store.length()).toBe(201)
    expect(await store.prune()).toBe(0)
    expect(await store.revokeUser('ann')).toBe(201)
    vi.useRealTimers()
    expect(await store.get('an-id')).toBe(null)
    await store.close()
  })

  it('follows the time that is set, in which sessions end', async () => {
    const store = new SessionStore(memoryDriver())
    vi.useFakeTimers(everything)
    await store.set('an-id', { cookie } as never)
    vi.advanceTimersByTime(59_999)
    expect(await store.get('an-id')).not.toBe(null)
    vi.advanceTimersByTime(1)
    expect(await store.get('an-id')).toBe(null)
    await store.close()
  })

  it('a call that gets no answer ends in real time', async () => {
    const silent = { ...memoryDriver(), read: () => new Promise<never>(() => {}) }
    const store = new SessionStore(silent, { operationTimeout: 50 })
    vi.useFakeTimers(everything)
    await expect(store.get('an-id')).rejects.toMatchObject({ code: 'TIMEOUT' })
    vi.useRealTimers()
    await expect(store.get('an-id')).rejects.toMatchObject({ code: 'TIMEOUT' })
    await store.close()
  })
})
