import { execFileSync } from 'node:child_process'
import type { ProcessServer } from '@session-stores/testbed'
import type { TestContext } from 'vitest'
import { after } from './support.ts'

/** Starts the server anew on an empty disk of this size, such as `4m`, until the test ends. Returns how to change the size. */
export async function smallDisk(
  server: ProcessServer,
  size: string,
  { skip }: TestContext,
): Promise<(size: string) => void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) skip('only root on Linux mounts a small disk')
  const mount = (options: string) =>
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', server.folder])
  await server.kill()
  mount(`size=${size}`)
  after(async () => {
    await server.kill()
    execFileSync('/bin/umount', [server.folder])
  })
  await server.start()
  return (changed) => void mount(`remount,size=${changed}`)
}
