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

/** Starts the server and the servers that it depends on. */
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
      const emptyAll = () => Promise.all(PLACES.map((place) => server.empty(place)))
      const countAll = (places: string[][]) => Promise.all(places.map(([url]) => server.stored(url!)))

      it('empties several places concurrently and keeps them separate', async () => {
        const places = await emptyAll()
        const counts = [3, 5, 7]
        await Promise.all(
          places.map((urls, index) =>
            runJob(
              { kind: 'fill', subject, place: { folder: '', urls }, payload: 200, stored: counts[index]! },
              {
                onMessage() {},
                usage: async () => null,
                moveSlots: async () => {},
                async pass() {},
                patience: 60_000,
                signal: new AbortController().signal,
              },
            ),
          ),
        )
        assert.deepEqual(await countAll(places), counts)
        assert.deepEqual(await countAll(await emptyAll()), [0, 0, 0])
      })
    },
  )
