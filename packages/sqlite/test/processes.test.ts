import { describe, expect, it } from 'vitest'
import { databaseOf, driverOf, keysIn, newFile, start } from './support/files.ts'

describe('several processes on one file', () => {
  it('write at the same time, and none gets an error because of a lock', async () => {
    const path = newFile()
    const acknowledged: string[] = []
    const writers = ['a', 'b', 'c'].map((name) => start('write', path, name, 400))
    for (const { child } of writers) child.on('message', (keys: string[]) => acknowledged.push(...keys))
    await Promise.all(writers.map(({ ended }) => ended))
    expect(acknowledged).toHaveLength(3 * 40 * 55)
    expect(await keysIn(await driverOf({ path }))).toEqual([...acknowledged, 'shared'].sort())
  })

  it('make the table at the same time', async () => {
    const path = newFile()
    const racers = Array.from({ length: 10 }, (_, i) => start('race', path, `racer-${i}`))
    expect(await Promise.all(racers.map(({ message }) => message()))).toEqual(racers.map(() => 'ready'))
    const results = racers.map(({ message }) => message())
    for (const { child } of racers) child.send('go')
    expect(await Promise.all(results)).toEqual(racers.map((_, i) => [`racer-${i}-000000`]))
    await Promise.all(racers.map(({ ended }) => ended))
    expect(await (await driverOf({ path })).count(Date.now())).toBe(11)
  })

  it('lose no acknowledged write when one of them is killed', async () => {
    const path = newFile()
    const acknowledged: string[] = []
    const { child, ended } = start('write', path, 'a', 1_000_000)
    child.on('message', (keys: string[]) => {
      acknowledged.push(...keys)
      if (acknowledged.length > 5000) child.kill('SIGKILL')
    })
    await ended
    expect(child.signalCode).toBe('SIGKILL')
    const kept = new Set(await keysIn(await driverOf({ path })))
    expect(acknowledged.filter((key) => !kept.has(key))).toEqual([])
    expect(databaseOf(path).pragma('integrity_check', { simple: true })).toBe('ok')
  })
})
