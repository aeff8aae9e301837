import { hash } from 'node:crypto'
import { type Page, SessionStoreError } from '@session-stores/core'
import type { RedisClient, RedisNode } from './client.ts'

/** How many keys one step asks for at most. */
const STEP = 500
/**
 * How many keys of earlier pages a page remembers. Where Redis shrinks a table during a walk, SCAN
 * visits again some keys that it has visited last, rarely more than a few.
 */
const REMEMBERED = 32

/** A server that a walk visits. */
interface Place {
  node: RedisNode
  name: string
}

/** The answer of `SCAN`: the next cursor, which is `0` at the end, and keys. */
type Scanned = [next: string, keys: string[]]

/**
 * Returns a page of the keys that begin with the prefix, node after node in a cluster. The keys
 * come without the prefix.
 *
 * @throws INVALID_QUERY where `after` is not the `next` of a page
 */
export function scan(
  client: RedisClient,
  prefix: string,
  after: string | undefined,
  limit: number,
): Promise<Page> {
  // ioredis adds the option `keyPrefix` to keys, but not to the pattern.
  const start = (client.options?.keyPrefix ?? '') + prefix
  const match = `${start.replace(/[\\*?[\]]/g, '\\$&')}*`
  return walk(mastersOf(client), after, async (node, cursor) => {
    const reply = await node.call('SCAN', cursor, 'MATCH', match, 'COUNT', Math.min(limit, STEP))
    const [next, keys] = reply as Scanned
    // The filter keeps out all other keys, even where the answer belongs to another command.
    return [next, keys.filter((key) => key.startsWith(start)).map((key) => key.slice(start.length))]
  })
}

/** Yields all pages of `scan`, one after the other. */
export async function* scanAll(client: RedisClient, prefix: string): AsyncGenerator<string[]> {
  let after: string | undefined
  do {
    const { keys, next } = await scan(client, prefix, after, STEP)
    yield keys
    after = next
  } while (after !== undefined)
}

/**
 * Returns a page of the members of a sorted set.
 *
 * @throws INVALID_QUERY where `after` is not the `next` of a page
 */
export function scanMembers(
  client: RedisClient,
  key: string,
  after: string | undefined,
  limit: number,
): Promise<Page> {
  return walk([{ node: client, name: '' }], after, async (node, cursor) => {
    const reply = await node.call('ZSCAN', key, cursor, 'COUNT', Math.min(limit, STEP))
    const [next, membersAndScores] = reply as Scanned
    return [next, membersAndScores.filter((_, i) => i % 2 === 0)]
  })
}

/**
 * Takes one step of a walk over several places. `after` and `next` hold the cursor, the name of its
 * place, and marks of the last keys before.
 */
async function walk(
  places: readonly Place[],
  after: string | undefined,
  step: (node: RedisNode, cursor: string) => Promise<Scanned>,
): Promise<Page> {
  const [cursor = '0', name = places[0]?.name, ...before] = after?.split(',') ?? []
  if (!/^\d{1,20}$/.test(cursor))
    throw new SessionStoreError('INVALID_QUERY', "after must be the value 'next' of another page")
  const at = places.findIndex((place) => place.name === name)
  if (at < 0)
    throw new SessionStoreError('UNAVAILABLE', 'the masters of the Redis Cluster have changed: begin again')
  const [next, found] = await step(places[at]!.node, cursor)
  const keys: string[] = []
  const marks = new Set(before)
  for (const key of found) {
    // A mark is no part of the key, which may be an id, because lists never give away ids.
    const mark = hash('sha1', key, 'base64url').slice(0, 11)
    if (marks.has(mark)) continue
    marks.add(mark)
    keys.push(key)
  }
  const goesOn = next === '0' ? places[at + 1] && ['0', places[at + 1]!.name] : [next, name]
  return { keys, next: goesOn && [...goesOn, ...[...marks].slice(-REMEMBERED)].join(',') }
}

/** Returns the masters in a stable order, so that a name shows how far a walk has come. */
function mastersOf(client: RedisClient): Place[] {
  if (!client.nodes) return [{ node: client, name: '' }]
  const masters = client.nodes('master').map((node) => {
    const { host = '', port = '' } = node.options ?? {}
    return { node, name: `${host}:${port}` }
  })
  return masters.sort((a, b) => (a.name < b.name ? -1 : 1))
}
