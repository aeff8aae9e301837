import { chmodSync, chownSync, cpSync, mkdtempSync, realpathSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { tell } from './guard.ts'

/** Whom a server runs as; the user of this process where it is not said. */
export interface User {
  readonly uid?: number
  readonly gid?: number
}

const NOBODY = 65_534

/** Who runs a server that refuses to run as root: `nobody`, who is given the folder, where this process is root. */
export function unprivileged(folder: string): User {
  if (process.getuid?.() !== 0) return {}
  chownSync(folder, NOBODY, NOBODY)
  return { uid: NOBODY, gid: NOBODY }
}

const copies = new Map<string, string>()

/**
 * The path by which `nobody` can run a program that is installed in a folder: its own, or where this process is root
 * and a folder on the way is closed to others, that in a copy of the folder.
 */
export function withinReach(program: string, installed: string): string {
  if (process.getuid?.() !== 0 || isOpen(dirname(realpathSync(program)))) return program
  const copy = copies.get(installed) ?? copyOf(installed)
  copies.set(installed, copy)
  return join(copy, relative(installed, program))
}

function isOpen(folder: string): boolean {
  const parent = dirname(folder)
  return (statSync(folder).mode & 0o001) !== 0 && (parent === folder || isOpen(parent))
}

/** Copies a folder to where everybody may enter; the copy goes with this process. */
function copyOf(installed: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'testbed-installed-'))
  tell('add', 'folder', folder)
  cpSync(installed, folder, { recursive: true, verbatimSymlinks: true })
  chmodSync(folder, 0o755)
  return folder
}
