import { once } from 'node:events'
import { redact } from './secrets.ts'

/** Prints a line of the result. Waits where the reader is slower. */
export async function print(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
}

/** Prints a line beside the result, such as a warning. */
export function tell(line: string): void {
  progress.clear()
  process.stderr.write(`${redact(line)}\n`)
}

/** Moves the cursor to the beginning of the line, and erases the line. */
const CLEAR_LINE = '\r\u001B[K'
/** Milliseconds between two changes of the line. */
const INTERVAL = 100

/** A line on the terminal that shows how far the work is. Shows nothing where there is no terminal. */
class Progress {
  #startedAt = 0
  #shownAt = 0
  #isShown = false

  start(): void {
    this.#startedAt = performance.now()
    this.#shownAt = 0
  }

  /** Shows how much is done, and the time left where the total is known. */
  show(done: number, total: number | undefined, what: string): void {
    const now = performance.now()
    if (!process.stderr.isTTY || now - this.#shownAt < INTERVAL) return
    this.#shownAt = now
    this.#isShown = true
    const line = progressLine(done, total, what, now - this.#startedAt)
    process.stderr.write(CLEAR_LINE + line.slice(0, (process.stderr.columns || 80) - 1))
  }

  clear(): void {
    if (this.#isShown) process.stderr.write(CLEAR_LINE)
    this.#isShown = false
  }
}

/** The one line of progress of this process. */
export const progress: Progress = new Progress()

/** Returns the text of the line of progress. `passed` is in milliseconds. */
export function progressLine(done: number, total: number | undefined, what: string, passed: number): string {
  if (total === undefined || total < done) return `${done} ${what}`
  const share = total === 0 ? 1 : done / total
  const left = done === 0 ? '' : `, ${durationText((passed / done) * (total - done))} left`
  return `${Math.floor(share * 100)} %, ${done} of ${total} ${what}${left}`
}

/** Returns a duration of so many milliseconds in words. */
function durationText(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`
  return `${Math.floor(seconds / 3600)} h ${Math.ceil((seconds % 3600) / 60)} min`
}
