import { execFile } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

/** The packages as they are published. */

const root = join(import.meta.dirname, '../..')

/** A published package. */
interface Package {
  name: string
  version: string
  folder: string
  /** Whether it can be imported, and is not a command alone. */
  isLibrary: boolean
}

export const published: readonly Package[] = globSync('packages/*/package.json', { cwd: root })
  .map((path) => ({
    ...JSON.parse(readFileSync(join(root, path), 'utf8')),
    folder: join(root, dirname(path)),
  }))
  .filter((manifest) => !manifest.private)
  .map(({ name, version, folder, exports }) => ({
    name,
    version,
    folder,
    isLibrary: exports['.'] !== undefined,
  }))

/** Runs a command and returns its output. A failure's error contains the output. */
export async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' }
  const done = promisify(execFile)(command, args, { cwd, env })
  const { stdout } = await done.catch(({ message, stdout, stderr }) => {
    throw new Error(`${message}\n${stdout}\n${stderr}`)
  })
  return stdout
}

/** Runs pnpm: the one that runs the tests, where there is one, because npx takes seconds to find it. */
export function runPnpm(cwd: string, ...args: string[]): Promise<string> {
  const isHere = process.env.npm_config_user_agent?.startsWith('pnpm/12.')
  return isHere ? run(cwd, 'pnpm', ...args) : run(cwd, 'npx', '-y', 'pnpm@12', ...args)
}

/**
 * Builds the packages. A build removes the one before it, so test files that build at the same time
 * wait for each other. After the first of them there is nothing to do.
 */
export async function buildPackages(): Promise<void> {
  const lock = join(root, 'node_modules', '.session-stores-build')
  while (!take(lock)) await pause(50)
  try {
    await runPnpm(root, 'build')
  } finally {
    rmSync(lock)
  }
}

/** Takes a lock, also one whose process has ended. Returns whether this process has it now. */
function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') rmSync(lock, { force: true })
  }
  return false
}

/** Puts the built packages where the programs of a folder find them before their sources. */
export function installPackages(folder: string): void {
  for (const { name, folder: source } of published) {
    const target = join(folder, 'node_modules', name)
    mkdirSync(target, { recursive: true })
    const { publishConfig, ...manifest } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
    writeFileSync(join(target, 'package.json'), JSON.stringify({ ...manifest, ...publishConfig }))
    cpSync(join(source, 'dist'), join(target, 'dist'), { recursive: true })
    const others = Object.keys(manifest.dependencies ?? {}).filter(
      (other) => !published.some(isCalled(other)),
    )
    for (const other of others) {
      const link = join(target, 'node_modules', other)
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(join(source, 'node_modules', other), link)
    }
  }
}

const isCalled =
  (name: string) =>
  (each: { name: string }): boolean =>
    each.name === name
