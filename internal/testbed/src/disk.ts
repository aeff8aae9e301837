import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A disk of its own in a folder: a small one, to be filled. */
export interface Disk {
  /** `16m`; what is on it stays. */
  resize(size: string): void
  /** Also where something on it is still open. */
  unmount(): void
}

/** Mounts a disk of this size on the folder, whose files it hides; `owner` is a number, root by default. Needs `canMount()`. */
export function mountDisk(folder: string, size: string, owner: number = 0): Disk {
  mount(folder, `size=${size},uid=${owner},gid=${owner},mode=0700`)
  return {
    resize: (next) => mount(folder, `remount,size=${next}`),
    unmount: () => void execFileSync('umount', ['--lazy', folder]),
  }
}

/** Only root can, and not in every container. */
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
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' })
}
