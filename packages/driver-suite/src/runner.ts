/** What the suites need of a test runner; those of vitest, node:test and mocha fit as they are. */
export interface Runner {
  describe(name: string, body: () => void): void
  it(name: string, body: () => Promise<void>): void
}

/** One thing that must hold, checked by itself on an empty database. */
export interface Rule<Fixture> {
  /** Stable: it names the rule in reports, for good. */
  id: string
  /** How a user is hurt where it does not hold. */
  why: string
  check(fixture: Fixture): void | Promise<void>
}

/** Makes a test of each rule; a failure says what differed, and whom it hurts. */
export function declare<Fixture>(
  { describe, it }: Runner,
  name: string,
  rules: readonly Rule<Fixture>[],
  use: (check: (fixture: Fixture) => Promise<void>) => Promise<void>,
): void {
  describe(name, () => {
    for (const { id, why, check } of rules)
      it(id, () =>
        use(async (fixture) => {
          try {
            await check(fixture)
          } catch (error) {
            throw explained(error, why)
          }
        }),
      )
  })
}

/** The same error, so that a runner can show what differed in its own way. Some show the message, some the stack. */
function explained(error: unknown, why: string): unknown {
  if (!(error instanceof Error)) return error
  const { message, stack } = error
  error.message = `${message}\n\nWhy it matters: ${why}\n`
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message)
  return error
}
