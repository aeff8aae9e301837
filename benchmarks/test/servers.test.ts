import assert from 'node:assert/strict'
import { describeWith } from '@session-stores/testbed/vitest'
import { it } from 'vitest'
import { runJob } from '../src/run/subject-process.ts'
import type { BenchServer } from '../src/servers/server.ts'
import { Servers } from '../src/servers/start.ts'

const PLACES = ['one', 'another', 'third']

const cases = [
  { name: 'redis', subject: 'ours-redis' },
  { name: 'mongodb', subject: 'ours-mongodb' },
  { name: 'postgres', subject: 'ours-postgres' },
  { name: 'pgbouncer', subject: 'ours-postgres-pgbouncer' },
]

/** Starts the server, and what it stands on. */
async function start(name: string): Promise<AsyncDisposable & { server: BenchServer }> {
  const servers = new Servers()
  try {
    return { server: await servers.get(name), [Symbol.asyncDispose]: () => servers.stop() }
  } catch (error) {
    await servers.stop()
    throw error
  }
}

for (const { name, subject } of cases)
  describeWith(
    `the benchmark's ${name}`,
    () => start(name),
    ({ server }) => {
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
    },
  )
