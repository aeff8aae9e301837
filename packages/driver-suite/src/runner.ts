/**
 * What the suites use of a test runner. The functions of vitest, node:test and mocha fit as they
 * are.
 */
export interface Runner {
  /** Groups the tests that `body` declares. */
  describe(name: string, body: () => void): void
  /** Declares a test, which fails when the promise of `body` rejects. */
  it(name: string, body: () => Promise<void>): void
}

/** One thing that must hold. It is checked by itself, on an empty database. */
export interface Rule<Fixture> {
  /** Names the rule in reports, and never changes. */
  id: string
  /** How a user is hurt when the rule is broken. */
  why: string
  check(fixture: Fixture): void | Promise<void>
}

/** Declares a test for each rule. The error of a failed test contains the `why` of its rule. */
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
            throw explain(error, why)
          }
        }),
      )
  })
}

/**
 * Adds `why` to the message and the stack, because some runners show only one of the two. Returns
 * the same object, so that a runner can show the difference in its own way.
 */
function explain(error: unknown, why: string): unknown {
  if (!(error instanceof Error)) return error
  const { message, stack } = error
  error.message = `${message}\n\nWhy it matters: ${why}\n`
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message)
  return error
}
