import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** Returns the versions of the application's own packages, on which the rules over HTTP run. */
export function versionsOfMiddleware(): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of ['express', 'express-session', 'passport']) {
    try {
      found[name] = (require(`${name}/package.json`) as { version: string }).version
    } catch {
      // It is not installed.
    }
  }
  return found
}
