import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A small disk that is mounted on a folder, so that a test can fill it. */
export interface Disk {
  /** Changes the size, such as `16m`. The files stay. */
  resize(size: string): void
  /** Unmounts the disk even while files on it are open. */
  unmount(): void
}

/**
 * Mounts an empty disk on the folder and so hides the files of the folder. Requires `canMount()`.
 * @param size such as `4m`
 * @param owner the user id of the owner; that of this process by default
 */
export function mountDisk(folder: string, size: string, owner: number = process.getuid?.() ?? 0): Disk {
  mount(folder, `size=${size},uid=${owner},gid=${owner},mode=0700`)
  return {
    resize: (next) => mount(folder, `remount,size=${next}`),
    unmount: () => runAsRoot('umount', '--lazy', folder),
  }
}

/**
 * Returns whether this process can mount disks. Only root can, or a user who may run `sudo` without a
 * password, and not in every container.
 */
export function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'testbed-disk-'))
  try {
    mountDisk(folder, '1m').unmount()
    return true
  } catch {
    return false
  } finally {
    rmdirSync(folder)
  }
}

function mount(folder: string, options: string): void {
  runAsRoot('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', folder)
}

function runAsRoot(...command: string[]): void {
  const [file, ...args] = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command]
  execFileSync(file!, args, { stdio: 'pipe' })
}
