import { redact } from '../secrets.ts'

/** `error`: users lose sessions, or others get them. `warning`: they may, in a bad moment. */
export type Severity = 'error' | 'warning'

/** Something that is wrong, and what to set instead. */
export interface Finding {
  /** Stable: scripts may match it, and `--ignore` takes it. */
  id: string
  severity: Severity
  message: string
  fix: string
}

/** A check that was not possible. */
export interface Skipped {
  id: string
  reason: string
}

/** Collects what the checks of `doctor` find. */
export class Examination {
  readonly findings: Finding[] = []
  readonly passed: string[] = []
  readonly skipped: Skipped[] = []
  readonly ignored: string[] = []
  readonly #ignore: ReadonlySet<string>

  /** @param ignore the ids of checks whose findings do not count */
  constructor(ignore: readonly string[] = []) {
    this.#ignore = new Set(ignore)
  }

  /** Takes the result of a check. */
  check(id: string, isWrong: boolean, severity: Severity, message: string, fix: string): void {
    if (!isWrong) this.passed.push(id)
    else if (this.#ignore.has(id)) this.ignored.push(id)
    else this.findings.push({ id, severity, message: redact(message), fix: redact(fix) })
  }

  /** Takes note of checks that were not possible. */
  skip(ids: readonly string[], reason: string): void {
    for (const id of ids) this.skipped.push({ id, reason: redact(reason) })
  }

  /** Whether a check with one of these ids has found something, ignored or not. */
  hasFound(...ids: string[]): boolean {
    return ids.some((id) => this.ignored.includes(id) || this.findings.some((finding) => finding.id === id))
  }
}

/** A database whose settings have been checked. */
export interface Inspected {
  /** What the server says about itself, such as `redis 7.0.15`. */
  version: string
  /** Returns the time of the database's clock in epoch milliseconds, or of nothing. */
  ping(): Promise<number | undefined>
  /** Whether rows can be read: the table or collection is there, and is the store's. */
  hasRows: boolean
  close(): Promise<void>
}
