import type { RedisNode } from './client.ts'

/** Fields of an ioredis client that its types do not declare. */
interface Undeclared {
  /** The commands that wait for an answer. Each connection has a new one. */
  commandQueue?: { shift(): unknown }
  flushQueue?(...args: unknown[]): void
}

const guarded = new WeakSet<object>()

/**
 * Closes a connection on which an answer comes although no command waits for one. Without this, such
 * a `null` ends the process: ioredis 5 and 6 throw where nobody can catch the error, in `shiftCommand`.
 */
export function refuseUnasked(client: RedisNode): void {
  const inner = client as Undeclared
  const { flushQueue } = inner
  if (typeof flushQueue !== 'function' || guarded.has(client)) return
  guarded.add(client)
  let isFlushing = false
  inner.flushQueue = (...args) => {
    isFlushing = true
    try {
      flushQueue.apply(client, args)
    } finally {
      isFlushing = false
    }
  }
  const guardQueue = (): void => {
    const queue = inner.commandQueue
    const shift = queue?.shift
    if (queue === undefined || typeof shift !== 'function') return
    queue.shift = () => {
      const item = shift.call(queue)
      if (item !== undefined || isFlushing) return item
      client.stream?.destroy?.(new Error('Redis gave an answer although no command waited for one'))
      return NOBODY
    }
  }
  guardQueue()
  client.on('connect', guardQueue)
}

/** Takes an answer for which no command waits. */
const NOBODY = { command: { name: '', args: [], resolve() {}, reject() {} } }
