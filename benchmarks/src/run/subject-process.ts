import { fork } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Job, Message, Usage } from '../child/protocol.ts'

/** How much of a process's error output is kept, in characters. */
const TAIL = 4000

/** Processes keep compiled modules here, because a run starts thousands of them. */
const COMPILE_CACHE = join(tmpdir(), 'session-stores-benchmark-cache')

export interface JobRun {
  onMessage(message: Message): void
  usage(): Promise<Usage | null>
  /** Lets slots of the cluster move, or no longer. */
  moveSlots(isMoving: boolean): Promise<void>
  /** Lets others measure. Resolves when it is this job's turn again. */
  pass(): Promise<void>
  /** Milliseconds that the job may take, without the turns of others. */
  patience: number
  signal: AbortSignal
}

/**
 * Runs a job in a fresh process, so that no earlier subject affects its heap or its compiled code.
 * Rejects with the reason if the process ends or times out before the job is done, and if `signal`
 * is aborted.
 */
export async function runJob(
  job: Job,
  { onMessage, usage, moveSlots, pass, patience, signal }: JobRun,
): Promise<void> {
  signal.throwIfAborted()
  const child = fork(new URL('../child/main.ts', import.meta.url), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    // The process has its own group, so that a Ctrl-C reaches only this process, which then ends
    // it.
    detached: true,
  })
  let errors = ''
  child.stderr!.on('data', (text) => {
    errors = `${errors}${text}`.slice(-TAIL)
  })
  const ended = Promise.withResolvers<void>()
  const abort = () => ended.reject(signal.reason)
  const impatient = () => ended.reject(new Error(`it had not done its work after ${patience / 1000} s`))
  let timer = setTimeout(impatient, patience)
  let over = false
  const passOn = async (): Promise<void> => {
    clearTimeout(timer)
    await pass()
    if (over) return
    timer = setTimeout(impatient, patience)
    child.send('go on')
  }
  signal.addEventListener('abort', abort)
  child.on('message', (message: Message) => {
    if (message.kind === 'done') ended.resolve()
    else if (message.kind === 'failed') ended.reject(new Error(message.reason))
    else if (message.kind === 'usage') usage().then((answer) => child.send(answer as Usage), ended.reject)
    else if (message.kind === 'pass') passOn().catch(ended.reject)
    else if (message.kind === 'slots')
      moveSlots(message.isMoving).then(() => child.send('done'), ended.reject)
    else onMessage(message)
  })
  child.on('error', ended.reject)
  child.on('close', (code, name) =>
    ended.reject(new Error(`its process ended (${name ?? code}): ${reasonOf(errors)}`)),
  )
  child.send(job)
  try {
    await ended.promise
  } finally {
    over = true
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    child.kill('SIGKILL')
    await moveSlots(false).catch(() => {})
  }
}

/** Returns the line with the error, or the last line. */
function reasonOf(errors: string): string {
  const lines = errors.split('\n').filter((line) => line.trim() !== '' && !/^Node\.js v/.test(line))
  return (lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? 'it said nothing').trim()
}
