import { fork } from 'node:child_process'
import { once } from 'node:events'
import { after } from '@session-stores/testbed/vitest'
import type { Place } from './places.ts'

export type Command =
  | { call: 'refresh'; token: string; times: number }
  | { call: 'verify'; tokens: string[]; freshness: number | false }

export interface Answer {
  number: number
  value: unknown
}

/** Sends a command to the other process, and resolves with what its calls returned. */
export type Send = <T>(command: Command) => Promise<T[]>

/** Starts another process of the application. It ends after the test. */
export async function startProcess(place: Place): Promise<Send> {
  const child = fork(new URL('./worker.ts', import.meta.url), [JSON.stringify(place)], { execArgv: [] })
  const ended = once(child, 'exit')
  after(async () => {
    if (child.connected) child.disconnect()
    await ended
  })
  const waiting = new Map<number, (value: unknown) => void>()
  let number = 0
  const failed = ended.then(([code]) => Promise.reject(new Error(`the other process ended with ${code}`)))
  await Promise.race([once(child, 'message'), failed])
  failed.catch(() => {})
  child.on('message', (answer: Answer) => {
    waiting.get(answer.number)?.(answer.value)
    waiting.delete(answer.number)
  })
  return <T>(command: Command) =>
    new Promise<T[]>((resolve) => {
      waiting.set(++number, resolve as (value: unknown) => void)
      child.send({ number, command })
    })
}
