import { chmodSync, chownSync, cpSync, mkdtempSync, realpathSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { tellGuard } from './guard.ts'

/** The user that a server runs as. Without ids it is the user of this process. */
export interface User {
  readonly uid?: number
  readonly gid?: number
}

const NOBODY = 65_534

/**
 * Returns the user for a server that refuses to run as root: `nobody` if this process runs as root.
 * That user then owns the folder.
 */
export function unprivileged(folder: string): User {
  if (process.getuid?.() !== 0) return {}
  chownSync(folder, NOBODY, NOBODY)
  return { uid: NOBODY, gid: NOBODY }
}

const copies = new Map<string, string>()

/**
 * Returns a path by which `nobody` can run an installed program. If this process runs as root and a
 * parent folder is closed to other users, the path leads to a copy of the folder.
 */
export function withinReach(program: string, installed: string): string {
  if (process.getuid?.() !== 0 || isOpen(dirname(realpathSync(program)))) return program
  const copy = copies.get(installed) ?? copyFolder(installed)
  copies.set(installed, copy)
  return join(copy, relative(installed, program))
}

function isOpen(folder: string): boolean {
  const parent = dirname(folder)
  return (statSync(folder).mode & 0o001) !== 0 && (parent === folder || isOpen(parent))
}

/**
 * Copies a folder to a place that everybody may enter. The guard removes the copy with this
 * process.
 */
function copyFolder(installed: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'testbed-installed-'))
  tellGuard('add', 'folder', folder)
  cpSync(installed, folder, { recursive: true, verbatimSymlinks: true })
  chmodSync(folder, 0o755)
  return folder
}
