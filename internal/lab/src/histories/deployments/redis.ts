import { setTimeout as pause } from 'node:timers/promises'
import type { ProcessServer } from '@session-stores/testbed'
import { Redis } from 'ioredis'

/** Sends one command to a server. */
export async function sendRedis(
  { url }: Pick<ProcessServer, 'url'>,
  name: string,
  ...args: readonly (string | number)[]
): Promise<unknown> {
  const client = new Redis(url, { retryStrategy: null, maxRetriesPerRequest: 0, commandTimeout: 5000 })
  client.on('error', () => {})
  try {
    return await client.call(name, ...args)
  } finally {
    client.disconnect()
  }
}

/** Returns a field of the answer of `INFO`. */
export async function redisField(server: ProcessServer, section: string, field: string): Promise<string> {
  const info = `${await sendRedis(server, 'INFO', section)}`
  return new RegExp(`^${field}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? ''
}

/** Resolves when the condition holds. A check that fails is tried again. */
export async function eventually(check: () => Promise<boolean>, limit = 90_000): Promise<void> {
  const end = performance.now() + limit
  for (let reason: unknown; ; await pause(30)) {
    try {
      if (await check()) return
      reason = undefined
    } catch (error) {
      reason = error
    }
    if (performance.now() > end)
      throw new Error(`a deployment has not recovered within ${limit} ms: ${check}`, { cause: reason })
  }
}
