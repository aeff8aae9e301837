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
            if (error instanceof Error) error.message += `\n\nWhy it matters: ${why}\n`
            throw error
          }
        }),
      )
  })
}
