/**
 * Another process: `node worker.ts <place> old` is one that still runs with the old package, and
 * follows commands. `node worker.ts <place> migrate` moves all sessions, and reports as it goes.
 */
import type { SessionData } from 'express-session'
import { migrate } from '../../src/index.ts'
import { call, makeSession, openNew, openOld, type Place } from './places.ts'
import type { Answer, Command, Question } from './process.ts'

const place = JSON.parse(process.argv[2]!) as Place
const old = await openOld(place)
const loaded = new Map<string, SessionData>()

async function follow({ call: name, id }: Command): Promise<unknown> {
  const { store } = old
  switch (name) {
    case 'signIn':
      return call<void>((done) => store.set(id, makeSession(3_600_000, { user: 'ann' }), done))
    case 'load': {
      const found = await call<SessionData | null | undefined>((done) => store.get(id, done))
      if (found) loaded.set(id, found)
      return Boolean(found)
    }
    case 'save': {
      const session = loaded.get(id)
      if (session) await call<void>((done) => store.set(id, { ...session, more: 1 } as SessionData, done))
      return session !== undefined
    }
    case 'touch': {
      const session = loaded.get(id)
      // connect-mongo fails where there is no session.
      if (session) await call<void>((done) => store.touch!(id, session, done as () => void)).catch(() => {})
      return session !== undefined
    }
    case 'destroy':
      return call<void>((done) => store.destroy(id, done))
  }
}

if (process.argv[3] === 'old') {
  process.on('message', async ({ number, command }: Question) => {
    let answer: Answer
    try {
      answer = { number, value: await follow(command) }
    } catch (error) {
      answer = { number, error: String(error) }
    }
    process.send?.(answer)
  })
  process.on('disconnect', () => process.exit())
  process.send?.({ number: -1 } satisfies Answer)
} else {
  const store = await openNew(place)
  const report = await migrate(store, old.reader, { onProgress: (progress) => process.send?.(progress) })
  process.send?.({ report }, () => process.exit())
}
