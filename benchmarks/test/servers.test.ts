import assert from 'node:assert/strict'
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { BenchServer } from '../src/servers/server.ts'
import { Servers } from '../src/servers/start.ts'
import { runJob } from '../src/subject-process.ts'

const PLACES = ['one', 'another', 'third']

const cases = [
  { name: 'redis', subject: 'ours-redis' },
  { name: 'mongodb', subject: 'ours-mongodb' },
  { name: 'postgres', subject: 'ours-postgres' },
  { name: 'pgbouncer', subject: 'ours-postgres-pgbouncer' },
]

describe.each(cases)("the benchmark's $name", ({ name, subject }) => {
  const servers = new Servers()
  let server: BenchServer
  beforeAll(async () => {
    server = await servers.get(name)
  })
  afterAll(() => servers.stop())

  const emptied = () => Promise.all(PLACES.map((place) => server.empty(place)))
  const stored = (places: string[][]) => Promise.all(places.map(([url]) => server.stored(url!)))

  it('empties several places at once, and keeps them apart', async () => {
    const places = await emptied()
    const counts = [3, 5, 7]
    await Promise.all(
      places.map((urls, index) =>
        runJob(
          { kind: 'fill', subject, place: { folder: '', urls }, payload: 200, stored: counts[index]! },
          {
            heard() {},
            usage: async () => null,
            async pass() {},
            patience: 60_000,
            signal: new AbortController().signal,
          },
        ),
      ),
    )
    assert.deepEqual(await stored(places), counts)
    assert.deepEqual(await stored(await emptied()), [0, 0, 0])
  })
})
