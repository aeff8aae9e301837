/** How the command ends. `--help` documents these codes. */
export const EXIT = {
  /** Everything was done, and nothing is wrong. */
  done: 0,
  /** `doctor` has findings, or `revoke` found no session of the handle. */
  found: 1,
  /** The command could not do its work. */
  failed: 2,
  /** SIGINT, as shells expect it: 128 and the number of the signal. */
  interrupted: 130,
} as const

/** Ends the command with a message for whoever typed it, and without a stack trace. */
export class Failure extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number = EXIT.failed, cause?: unknown) {
    super(message, { cause })
    this.exitCode = exitCode
  }
}

/** Whoever uses the command has ended it, by SIGINT or at a question. */
export class Interrupted extends Error {}
