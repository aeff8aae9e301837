import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const HERE = join(import.meta.dirname, '../../../..')
const LAB = 'internal/lab/src'

/** The packages of an older version, in a folder of their own. */
export interface Checkout extends AsyncDisposable {
  readonly folder: string
}

/**
 * Puts an older version of the packages into a folder. The lab in it is that of this version, so that
 * processes of both versions do the same.
 *
 * @param ref what git calls the version, such as a tag or a commit
 */
export async function checkOut(ref: string): Promise<Checkout> {
  const folder = mkdtempSync(join(tmpdir(), 'old-version-'))
  const remove = async (): Promise<void> => rmSync(folder, { recursive: true })
  try {
    await run('git', ['-C', HERE, 'archive', '--format=tar', '--output', join(folder, 'all.tar'), ref])
    await run('tar', ['-xf', 'all.tar'], { cwd: folder })
    rmSync(join(folder, LAB), { recursive: true })
    cpSync(join(HERE, LAB), join(folder, LAB), { recursive: true })
    const install = ['-y', 'pnpm@12', 'install', '--frozen-lockfile']
    const options = { cwd: folder, maxBuffer: 64 * 2 ** 20 }
    await run('npx', [...install, '--offline'], options).catch(() => run('npx', install, options))
  } catch (error) {
    await remove()
    throw error
  }
  return { folder, [Symbol.asyncDispose]: remove }
}
