import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { openSubject } from '../subjects/open.ts'
import { expressSession, makeApplication } from './application.ts'
import type { Load, Loaded } from './http-load.ts'
import { Meter } from './meter.ts'
import { pass, report, usage } from './parent.ts'
import type { HttpJob } from './protocol.ts'
import { inTurn, warm } from './store.ts'
import { fillWorkload } from './workload.ts'

/** Measures a store in an Express application. Another process generates the load. */
export async function runHttp(job: HttpJob): Promise<void> {
  const { store, settle, makeApplication: makeOwn } = await openSubject(job.subject, job.place)
  const workload = await fillWorkload(store, job.stored, job.payload, false)
  settle?.()
  await pass()
  // Requests are too slow to warm up a store within seconds.
  const meter = new Meter(usage)
  await warm(workload, job, ['lookup-touch', 'save'], meter)
  const app = makeOwn?.() ?? makeApplication(expressSession(store), job.payload)
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const generator = fork(new URL('./http-load.ts', import.meta.url), { serialization: 'advanced' })
  for await (const [index, point] of inTurn(job)) {
    generator.send({ ...point, url: `http://127.0.0.1:${port}` } satisfies Load)
    await answer(generator)
    meter.start()
    generator.send('measure')
    const [loaded] = (await Promise.all([answer(generator), meter.startServer()])) as [Loaded, void]
    const used = meter.stop(loaded.operations)
    const measurement = { ...loaded, ...used, ...(await meter.stopServer(loaded.operations)) }
    generator.send('stop')
    await answer(generator)
    report({ kind: 'measured', index, measurement })
  }
  generator.disconnect()
  server.closeAllConnections()
  server.close()
}

/** Returns the next message of the child. Rejects if the child ends without one. */
function answer(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the load generator ended with ${code}`))
    child.once('exit', ended)
    child.once('message', (message) => {
      child.off('exit', ended)
      resolve(message)
    })
  })
}
