import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { findCommand } from '@session-stores/testbed'
import type { Session } from './recorder.ts'

/** What was acknowledged and is gone. */
export interface Lost {
  readonly writes: number
  readonly logouts: number
  /** Families of refresh tokens that began, and refresh tokens that were replaced. */
  readonly tokens: number
}

/** What the checker says about the calls of one session. */
export interface Verdict {
  readonly id: string
  /** `unknown` where the checker did not end within its time limit. */
  readonly result: 'ok' | 'illegal' | 'unknown'
  /** What failovers lost that had been acknowledged, as far as the answers show it. */
  readonly lost?: Lost
  /** The calls that have no place in the longest order. */
  readonly stuck?: readonly string[]
  /** The page that shows the calls and the longest order. */
  readonly page?: string
}

/** Adds up what was lost. */
export function sumLost(parts: readonly (Lost | undefined)[]): Lost {
  const sum = (of: keyof Lost): number => parts.reduce((total, part) => total + (part?.[of] ?? 0), 0)
  return { writes: sum('writes'), logouts: sum('logouts'), tokens: sum('tokens') }
}

let building: Promise<string> | undefined

/** Returns the path of `go`, or `undefined` where it is not installed. */
export function findGo(): string | undefined {
  return findCommand(['go'])
}

/** Builds the checker, which is a Go program, and returns its path. */
function build(): Promise<string> {
  building ??= (async () => {
    const folder = join(tmpdir(), `session-stores-histories-${process.getuid?.() ?? 0}`)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const path = join(folder, `checker-${process.pid}`)
    await promisify(execFile)(findGo()!, ['build', '-buildvcs=false', '-o', path, '.'], {
      env: { ...process.env, GOTOOLCHAIN: 'local' },
      cwd: join(import.meta.dirname, 'checker'),
    })
    return path
  })()
  return building
}

/**
 * Decides for each session whether its calls have an order that explains all answers.
 * @param pages the folder for a page about each session that has none
 */
export async function check(sessions: readonly Session[], pages?: string): Promise<Verdict[]> {
  const child = spawn(await build(), pages === undefined ? [] : ['-pages', pages], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  child.stdin.end(sessions.map((session) => `${JSON.stringify(session)}\n`).join(''))
  const verdicts: Verdict[] = []
  for await (const line of createInterface({ input: child.stdout })) verdicts.push(JSON.parse(line))
  const [code] = (await ended) as [number | null]
  if (code !== 0) throw new Error(`the checker ended with ${code}`)
  return verdicts
}

/**
 * Writes a file for each of these sessions: a line with its calls, and lines with those of the other
 * sessions of its history, which may show what happened to it.
 */
export function keepRecordings(folder: string, sessions: readonly Session[], ids: Iterable<string>): void {
  for (const id of ids) {
    const history = id.slice(0, id.indexOf('-') + 1)
    const [own, others] = [
      sessions.filter((session) => session.id === id),
      sessions.filter((session) => session.id !== id && session.id.startsWith(history)),
    ]
    const lines = [...own, ...others].map((session) => `${JSON.stringify(session)}\n`)
    writeFileSync(join(folder, `${id}.json`), lines.join(''))
  }
}
