import type { TestContext } from 'vitest'
import { after } from './after.ts'
import { canMount, mountDisk } from './disk.ts'
import type { ProcessServer } from './server.ts'

/** Skips the test where no disk can be mounted. With `CI=true` it fails there. */
export function requireDisk(skip: (reason: string) => never): void {
  if (canMount()) return
  if (process.env.CI === 'true') throw new Error('no small disk can be mounted here')
  skip('no small disk can be mounted here')
}

/**
 * Restarts the server on an empty disk of this size, such as `4m`, until the test ends. Skips the
 * test if no disk can be mounted. Returns a function that changes the size.
 */
export async function smallDisk(
  server: ProcessServer,
  size: string,
  { skip }: TestContext,
): Promise<(size: string) => void> {
  requireDisk(skip)
  await server.kill()
  const disk = mountDisk(server.folder, size)
  after(async () => {
    await server.kill()
    disk.unmount()
  })
  await server.start()
  return disk.resize
}
