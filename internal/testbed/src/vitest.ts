import { afterAll, beforeAll, describe, test } from 'vitest'
import { recordServer } from './ran-on.ts'
import { ServerUnavailableError } from './server.ts'

export { after } from './after.ts'
export { type Relay, startRelay } from './relay.ts'
export { report } from './reporters/outage.ts'
export { requireDisk, smallDisk } from './small-disk.ts'

/**
 * Declares a suite on a real server, which is stopped after the suite. If no server is available,
 * the suite is skipped and `SkipReporter` prints the reason; with `CI=true` it fails instead.
 * @param start starts the server, or rejects with `ServerUnavailableError`
 * @param body declares the tests
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
    beforeAll(({}, suite) => recordServer(suite, server))
    afterAll(() => server[Symbol.asyncDispose]())
    await body(server)
  })
}
