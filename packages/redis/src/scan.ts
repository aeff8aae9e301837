import { SessionStoreError } from '@session-stores/core'
import type { RedisClient, RedisNode } from './client.ts'

/** How many keys are asked for at a time, at most. */
export const PAGE = 500

interface Scanned {
  /** Without the prefix. */
  names: string[]
  next: string | undefined
}

/**
 * One page of the keys that begin with the prefix, node after node in a cluster. `after` and `next` are a cursor of
 * SCAN and the node that it is of.
 */
export async function scan(
  client: RedisClient,
  prefix: string,
  after: string | undefined,
  limit: number,
): Promise<Scanned> {
  const nodes = mastersOf(client)
  const [cursor, name] = after === undefined ? ['0', nodes[0]?.name] : splitCursor(after)
  const at = nodes.findIndex((entry) => entry.name === name)
  if (at < 0)
    throw new SessionStoreError('UNAVAILABLE', 'the masters of the Redis Cluster have changed: begin again')
  // ioredis puts a prefix of its own before keys, but not into the pattern.
  const start = (client.options?.keyPrefix ?? '') + prefix
  const match = `${start.replace(/[\\*?[\]]/g, '\\$&')}*`
  const count = Math.min(limit, PAGE)
  const reply = await nodes[at]!.node.call('SCAN', cursor, 'MATCH', match, 'COUNT', count)
  const [next, keys] = reply as [string, string[]]
  const following = next === '0' ? nodes[at + 1] && `0@${nodes[at + 1]!.name}` : `${next}@${name}`
  return { names: keys.map((key) => key.slice(start.length)), next: following }
}

/** All pages, one after the other. */
export async function* scanAll(client: RedisClient, prefix: string): AsyncGenerator<string[]> {
  let after: string | undefined
  do {
    const { names, next } = await scan(client, prefix, after, PAGE)
    yield names
    after = next
  } while (after !== undefined)
}

/** The cursor, checked: it comes back from the application. */
export function cursorOf(after: string): string {
  if (/^\d{1,20}$/.test(after)) return after
  throw new SessionStoreError('INVALID_QUERY', 'after must be the next of another page')
}

function splitCursor(after: string): [cursor: string, name: string] {
  const end = after.indexOf('@')
  return [cursorOf(after.slice(0, Math.max(end, 0))), after.slice(end + 1)]
}

/** In an order that stays, so that a name tells where a walk over all of them has come to. */
function mastersOf(client: RedisClient): { node: RedisNode; name: string }[] {
  if (!client.nodes) return [{ node: client, name: '' }]
  const masters = client.nodes('master').map((node) => {
    const { host = '', port = '' } = node.options ?? {}
    return { node, name: `${host}:${port}` }
  })
  return masters.sort((a, b) => (a.name < b.name ? -1 : 1))
}
