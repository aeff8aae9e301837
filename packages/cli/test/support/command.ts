import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** What a run of the command left behind. */
export interface Outcome {
  /** The exit code, or the signal that ended the process. */
  code: number | string
  stdout: string
  stderr: string
}

/** The command itself, as a process that runs it. */
export const BINARY: string = join(import.meta.dirname, '../../src/cli.ts')

/** The environment of the command, without what the tests themselves are told. */
function environment(more: Record<string, string>): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !/^(SESSION_STORES_|NODE_OPTIONS)/.test(name))
  return { ...Object.fromEntries(own), ...more }
}

/** Starts the command as a process of its own. */
export function startCommand(
  args: readonly string[],
  env: Record<string, string> = {},
): { child: ReturnType<typeof spawn>; ended: Promise<Outcome> } {
  const child = spawn(process.execPath, [BINARY, ...args], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout!.on('data', (text) => {
    stdout += text
  })
  child.stderr!.on('data', (text) => {
    stderr += text
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code: code ?? signal, stdout, stderr }))
  return { child, ended }
}

/** Runs the command to its end. */
export function runCommand(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  return startCommand(args, env).ended
}

/** Returns the values of a command that prints a JSON value on each line. */
export function jsonLines<T>({ stdout }: Outcome): T[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}
