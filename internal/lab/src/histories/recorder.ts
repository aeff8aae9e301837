import { type Answer, type Begun, type Change, type Ended, type Keys, OPERATION_TIMEOUT } from './protocol.ts'

/** A call about one session, as the checker reads it. */
export interface Operation {
  readonly number: number
  readonly process: number
  /** Microseconds between which the call took effect, if it did. */
  readonly call: number
  ret: number
  readonly verb: string
  readonly answer: Answer
  /** Epoch milliseconds of the application's clock. */
  readonly from: number
  readonly to: number
  readonly set?: Keys | undefined
  readonly variants?: readonly Change[] | undefined
  readonly deadline?: number | undefined
  readonly found?: Keys | undefined
  readonly n?: number | undefined
  readonly grace?: number | undefined
}

/** All calls about one session. */
export interface Session {
  readonly id: string
  readonly ops: Operation[]
  /** Whether the list of a user's sessions may be on another server than the session. */
  readonly isSharded?: boolean
}

/** How long a call without an answer may still take effect, in microseconds. */
const LATE = OPERATION_TIMEOUT * 1000

/** How long a process may take to set its clock after it was told to, in microseconds. */
const DELAY = 1_000_000

/** Collects the calls of all processes. */
export class Recorder {
  readonly #open = new Map<string, Begun & { process: number }>()
  readonly #sessions = new Map<string, Session & { history: string }>()
  /** Calls about all sessions of a history. */
  readonly #whole = new Map<string, Operation[]>()
  /** When the clock of each process was told to jump, in microseconds, and how far, in milliseconds. */
  readonly #jumps = new Map<number, { at: number; by: number }[]>()
  readonly codes: Record<string, number> = {}
  calls = 0
  unanswered = 0
  /** When calls about each session ended, and whether they were answered. */
  readonly ends: Map<string, { at: number; isAnswered: boolean }[]> = new Map()

  begin(process: number, call: Begun): void {
    this.#open.set(`${process} ${call.number}`, { ...call, process })
  }

  end(process: number, call: Ended): void {
    const key = `${process} ${call.number}`
    const begun = this.#open.get(key)
    if (begun === undefined) return
    this.#open.delete(key)
    if (call.code !== undefined) this.codes[call.code] = (this.codes[call.code] ?? 0) + 1
    this.#add(begun, call)
    const { session } = begun
    if (session === undefined) return
    const ends = this.ends.get(session) ?? []
    this.ends.set(session, ends)
    ends.push({ at: call.ended.at, isAnswered: call.answer !== 'unknown' })
  }

  /** Notes that a process was killed: what it waited for may have happened or not. */
  kill(process: number): void {
    const at = Number(globalThis.process.hrtime.bigint() / 1000n)
    for (const [key, begun] of this.#open) {
      if (begun.process !== process) continue
      this.#open.delete(key)
      const ended = { at, clock: begun.begun.clock + Math.ceil((at - begun.begun.at) / 1000) }
      this.#add(begun, { number: begun.number, ended, answer: 'unknown' })
    }
  }

  /** Notes that the clock of a process jumps by so many milliseconds, back where they are negative. */
  moveClock(process: number, by: number): void {
    const at = Number(globalThis.process.hrtime.bigint() / 1000n)
    this.#jumps.set(process, [...(this.#jumps.get(process) ?? []), { at, by }])
  }

  /** The families of refresh tokens of each history. */
  get families(): readonly (readonly [history: string, family: string])[] {
    return [...this.#sessions.values()]
      .filter(({ ops }) => ops.some(({ verb }) => verb === 'grant'))
      .map(({ history, id }) => [history, id] as const)
  }

  /** Notes that calls without an answer waited between these times, and may take effect at the end. */
  extend(from: number, to: number): void {
    for (const ops of [...[...this.#sessions.values()].map((each) => each.ops), ...this.#whole.values()])
      for (const op of ops)
        if (op.answer === 'unknown' && op.call <= to && op.ret >= from) op.ret = Math.max(op.ret, to + LATE)
  }

  /** Returns the recorded sessions, and forgets them. */
  take(): Session[] {
    const sessions = [...this.#sessions.values()].map(({ id, history, ops }) => {
      const all = [...ops, ...(this.#whole.get(history) ?? [])]
      return { id, ops: all.map((op, number) => ({ ...op, number })) }
    })
    this.#sessions.clear()
    this.#whole.clear()
    return sessions
  }

  #add(begun: Begun & { process: number }, call: Ended): void {
    const { process, history, verb, set, variants, deadline, n, grace, freshness = 0 } = begun
    const { answer, ended, found, isUncertain = false } = call
    this.calls++
    if (answer === 'unknown') this.unanswered++
    // What changes nothing, and was not answered, says nothing. Nobody knows an unanswered grant.
    if (answer === 'unknown' && (verb === 'get' || verb === 'grant')) return
    // The clock may have jumped during the call, also forth and back again.
    const took = Math.ceil((ended.at - begun.begun.at) / 1000)
    const [one, other] = [begun.begun.clock, ended.clock - took]
    const jumps = this.#jumps.get(process) ?? []
    const within = jumps.filter(({ at }) => at >= begun.begun.at - DELAY && at <= ended.at)
    const back = (verb === 'verify' ? jumps : within).reduce((sum, { by }) => sum + Math.min(by, 0), 0)
    const forth = within.reduce((sum, { by }) => sum + Math.max(by, 0), 0)
    const operation: Operation = {
      number: 0,
      process,
      verb,
      answer,
      // A check may know what was so before the call.
      call: begun.begun.at - freshness * 1000,
      ret: answer === 'unknown' ? ended.at + LATE : ended.at,
      // Where a use of tokens is noted, the clock may have been set back since.
      from: Math.min(one, other) + back,
      to: Math.max(one, other) + forth + took + (answer === 'unknown' ? OPERATION_TIMEOUT : 0),
      ...{ set, variants, deadline, found, n, grace },
    }
    const id = call.session ?? begun.session
    if (id === undefined) {
      const whole = this.#whole.get(history) ?? []
      this.#whole.set(history, whole)
      whole.push(operation)
      return
    }
    const recorded = this.#sessions.get(id) ?? { id, history, ops: [] }
    this.#sessions.set(id, recorded)
    // The session is over, as a lookup would say. What the call wrote before that may have been seen.
    if (isUncertain)
      recorded.ops.push({ ...operation, answer: 'unknown' }, { ...operation, verb: 'get', answer: 'null' })
    else recorded.ops.push(operation)
  }
}
