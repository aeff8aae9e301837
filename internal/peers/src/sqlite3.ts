import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

interface Sqlite3 {
  Database: new (
    path: string,
  ) => {
    run(sql: string, values: unknown[], callback: (error: Error | null) => void): void
    close(callback: (error: Error | null) => void): void
  }
}

let built: Promise<Sqlite3> | undefined

/**
 * Returns the native package behind connect-sqlite3. It is compiled at the first call because
 * nothing else uses it.
 */
export function sqlite3(): Promise<Sqlite3> {
  built ??= load()
  return built
}

async function load(): Promise<Sqlite3> {
  const require = createRequire(createRequire(import.meta.url).resolve('connect-sqlite3'))
  try {
    return require('sqlite3')
  } catch {
    process.stderr.write('peers: building sqlite3, once\n')
    const folder = dirname(require.resolve('sqlite3/package.json'))
    await promisify(execFile)('npm', ['run', 'install'], { cwd: folder })
    return require('sqlite3')
  }
}
