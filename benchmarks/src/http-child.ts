import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import session from 'express-session'
import { answer, ask, type Job, modules, type Result, start } from './child.ts'
import type { Load } from './http-load.ts'
import type { Measurement } from './loop.ts'
import { type Subject, subjects } from './subjects.ts'
import type { HttpScenario } from './suites.ts'
import { contents, fill, MAX_AGE } from './workload.ts'

/** Measures a store in a server; the load comes from another process. */
async function measure(job: Job): Promise<Result[]> {
  const { store, settle }: Subject = await subjects[job.subject](job.place)
  await fill(store, job.sessions)
  settle?.()
  const server = application(store).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const load = start(modules.load)
  const results: Result[] = []
  for (const { scenario, concurrency } of job.cells) {
    globalThis.gc!()
    const result = await ask<Load, Measurement>(load, {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      scenario: scenario as HttpScenario,
      connections: concurrency,
      warmUp: job.warmUp,
      duration: job.duration,
    })
    results.push({ scenario, concurrency, ...result })
  }
  load.disconnect()
  return results
}

function application(store: session.Store): express.Express {
  const app = express()
  // Before the session, so that it costs no session: what the process has used so far, in microseconds.
  app.get('/cpu', (_request, response) => {
    response.json(process.cpuUsage())
  })
  app.use(
    session({
      store,
      secret: 'benchmark',
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: MAX_AGE },
    }),
  )
  app.post('/sign-in', (request, response) => {
    Object.assign(request.session, contents(request.sessionID))
    response.send(request.session.marker)
  })
  app.get('/', (request, response) => {
    const { marker } = request.session
    // express-session sends the last byte apart: the marker stays in one piece.
    response.status(marker ? 200 : 401).send(`${marker}\n`)
  })
  return app
}

answer(measure)
