import type { Runner } from '@session-stores/driver-suite'

/** Returns the tests that `declare` declares, by their titles, without running them. */
export function collectTests(declare: (runner: Runner) => void): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>()
  declare({
    describe: (_, body) => body(),
    it(title, body) {
      if (tests.has(title)) throw new Error(`there are two tests '${title}'`)
      tests.set(title, body)
    },
  })
  return tests
}
