import {
  type Answer,
  type Begun,
  type Change,
  type Ended,
  type Keys,
  OPERATION_TIMEOUT,
  SESSIONS,
} from './protocol.ts'

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
}

/** All calls about one session. */
export interface Session {
  readonly id: string
  readonly ops: Operation[]
}

/** How long a call without an answer may still take effect, in microseconds. */
const LATE = OPERATION_TIMEOUT * 1000

/** Collects the calls of all processes. */
export class Recorder {
  readonly #open = new Map<string, Begun & { process: number }>()
  readonly #sessions = new Map<string, Session>()
  readonly codes: Record<string, number> = {}
  calls = 0
  unanswered = 0
  #number = 0
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

  /** Notes that calls without an answer waited between these times, and may take effect at the end. */
  extend(from: number, to: number): void {
    for (const { ops } of this.#sessions.values())
      for (const op of ops)
        if (op.answer === 'unknown' && op.call <= to && op.ret >= from) op.ret = Math.max(op.ret, to + LATE)
  }

  /** Returns the recorded sessions of these histories, and forgets them. */
  take(): Session[] {
    const sessions = [...this.#sessions.values()]
    this.#sessions.clear()
    return sessions
  }

  #add(
    { process, history, session, verb, set, variants, deadline, begun }: Begun & { process: number },
    call: Ended,
  ): void {
    const { answer, ended, found } = call
    this.calls++
    // What changes nothing, and was not answered, says nothing.
    if (answer === 'unknown' && verb === 'get') return void this.unanswered++
    if (answer === 'unknown') this.unanswered++
    const times = {
      call: begun.at,
      ret: answer === 'unknown' ? ended.at + LATE : ended.at,
      from: begun.clock,
      to: ended.clock,
    }
    const ids =
      session === undefined ? Array.from({ length: SESSIONS }, (_, i) => `${history}-${i}`) : [session]
    for (const id of ids) {
      const recorded = this.#sessions.get(id) ?? { id, ops: [] }
      this.#sessions.set(id, recorded)
      recorded.ops.push({
        number: this.#number++,
        process,
        verb,
        answer,
        ...times,
        set,
        variants,
        deadline,
        found,
      })
    }
  }
}
