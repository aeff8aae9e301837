import { hash } from 'node:crypto'
import { type Page, SessionStoreError } from '@session-stores/core'
import type { RedisClient, RedisNode } from './client.ts'

/** How many keys are asked for at a time, at most. */
const STEP = 500
/**
 * How many keys a page remembers of those before it. Where Redis shrinks a table during a walk, SCAN goes again
 * through a part of what it visited last: the keys of one place in the smaller table, rarely more than some.
 */
const REMEMBERED = 32

interface Place {
  node: RedisNode
  name: string
}

/** What `SCAN` answers: the next cursor, `0` at the end, and keys. */
type Scanned = [next: string, keys: string[]]

/** A page of the keys that begin with the prefix, node after node in a cluster; they come without it. */
export function scan(
  client: RedisClient,
  prefix: string,
  after: string | undefined,
  limit: number,
): Promise<Page> {
  // ioredis puts a prefix of its own before keys, but not into the pattern.
  const start = (client.options?.keyPrefix ?? '') + prefix
  const match = `${start.replace(/[\\*?[\]]/g, '\\$&')}*`
  return walk(mastersOf(client), after, async (node, cursor) => {
    const reply = await node.call('SCAN', cursor, 'MATCH', match, 'COUNT', Math.min(limit, STEP))
    const [next, keys] = reply as Scanned
    // Others are none of this store's, whatever command the answer belongs to.
    return [next, keys.filter((key) => key.startsWith(start)).map((key) => key.slice(start.length))]
  })
}

/** All pages of `scan`, one after the other. */
export async function* scanAll(client: RedisClient, prefix: string): AsyncGenerator<string[]> {
  let after: string | undefined
  do {
    const { keys, next } = await scan(client, prefix, after, STEP)
    yield keys
    after = next
  } while (after !== undefined)
}

/** A page of the members of a sorted set. */
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

/** One step over several places. `after` and `next` hold the cursor, the place that it is of, and marks of the keys before. */
async function walk(
  places: readonly Place[],
  after: string | undefined,
  step: (node: RedisNode, cursor: string) => Promise<Scanned>,
): Promise<Page> {
  const [cursor = '0', name = places[0]?.name, ...before] = after?.split(',') ?? []
  if (!/^\d{1,20}$/.test(cursor))
    throw new SessionStoreError('INVALID_QUERY', 'after must be the next of another page')
  const at = places.findIndex((place) => place.name === name)
  if (at < 0)
    throw new SessionStoreError('UNAVAILABLE', 'the masters of the Redis Cluster have changed: begin again')
  const [next, found] = await step(places[at]!.node, cursor)
  const keys: string[] = []
  const marks = new Set(before)
  for (const key of found) {
    // No part of the key itself: it may be an id, and lists never give ids.
    const mark = hash('sha1', key, 'base64url').slice(0, 11)
    if (marks.has(mark)) continue
    marks.add(mark)
    keys.push(key)
  }
  const goesOn = next === '0' ? places[at + 1] && ['0', places[at + 1]!.name] : [next, name]
  return { keys, next: goesOn && [...goesOn, ...[...marks].slice(-REMEMBERED)].join(',') }
}

/** In an order that stays, so that a name tells how far a walk over all of them has come. */
function mastersOf(client: RedisClient): Place[] {
  if (!client.nodes) return [{ node: client, name: '' }]
  const masters = client.nodes('master').map((node) => {
    const { host = '', port = '' } = node.options ?? {}
    return { node, name: `${host}:${port}` }
  })
  return masters.sort((a, b) => (a.name < b.name ? -1 : 1))
}
