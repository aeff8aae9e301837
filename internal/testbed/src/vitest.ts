import { afterAll, beforeAll, describe, test } from 'vitest'
import { ranOn } from './ran-on.ts'
import { ServerUnavailableError } from './server.ts'

export { after } from './after.ts'
export { report } from './reporters/outage.ts'
export { smallDisk } from './small-disk.ts'

/**
 * A suite on a real server, which `start` gives and which is stopped after it. Where none is to be had the suite is
 * skipped with the reason on the screen (by `SkipReporter`); under `CI=true` that fails.
 */
export function describeWith<T extends AsyncDisposable>(
  name: string,
  start: () => Promise<T>,
  body: (server: T) => void | Promise<void>,
): void {
  describe(name, async () => {
    const server = await start().catch((error: unknown) => {
      if (!(error instanceof ServerUnavailableError) || process.env.CI === 'true') throw error
      return error
    })
    if (server instanceof ServerUnavailableError) {
      test('needs its server', (context) => context.skip(server.message))
      return
    }
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads from it that no fixture is wanted
    beforeAll(({}, suite) => ranOn(suite, server))
    afterAll(() => server[Symbol.asyncDispose]())
    await body(server)
  })
}
