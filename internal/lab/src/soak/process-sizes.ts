import { readdirSync } from 'node:fs'
import { Session } from 'node:inspector/promises'

const resourcesOf = (name: string): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === name).length

/** Collects garbage, and returns the sizes of this process. Needs `--expose-gc`. */
export async function measureProcess(): Promise<Record<string, number>> {
  // What the first collection finds dead may hold other things until a second one.
  for (let i = 0; i < 3; i++) {
    globalThis.gc!()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, rss, external, arrayBuffers } = process.memoryUsage()
  const objects = await countObjects()
  return {
    heap: heapUsed,
    rss,
    external: external + arrayBuffers,
    handles: process.getActiveResourcesInfo().length,
    timers: resourcesOf('Timeout'),
    files: readdirSync('/proc/self/fd').length,
    ...objects,
  }
}

interface Counts {
  /** The entries of all maps and sets. */
  entries: number
  /** The listeners of all event emitters. */
  listeners: number
  timerObjects: number
}

/** Counts what no public property shows: the engine lists all objects, private ones included. */
async function countObjects(): Promise<Counts> {
  const timer = setTimeout(() => {}, 0)
  clearTimeout(timer)
  const Timeout = timer.constructor as new () => NodeJS.Timeout
  // The inspector calls the function in the global scope.
  Object.assign(globalThis, { countSoakObjects: (all: unknown[]) => count(all, Timeout) })
  const session = new Session()
  session.connect()
  try {
    const { result: prototype } = await session.post('Runtime.evaluate', { expression: 'Object.prototype' })
    const { objects } = await session.post('Runtime.queryObjects', {
      prototypeObjectId: prototype.objectId!,
    })
    const { result } = await session.post('Runtime.callFunctionOn', {
      objectId: objects.objectId!,
      functionDeclaration: 'function () { return countSoakObjects(this) }',
      returnByValue: true,
    })
    return result.value
  } finally {
    session.disconnect()
  }
}

function count(all: readonly unknown[], Timeout: new () => NodeJS.Timeout): Counts {
  const counts: Counts = { entries: 0, listeners: 0, timerObjects: 0 }
  for (const it of all) {
    if (it instanceof Map || it instanceof Set) counts.entries += sizeOf(it)
    else if (it instanceof Timeout) counts.timerObjects++
    else counts.listeners += listenersOf(it)
  }
  return counts
}

function sizeOf(collection: Map<unknown, unknown> | Set<unknown>): number {
  try {
    return collection.size
  } catch {
    // The prototype of a subclass is an instance of the base class, and has no entries.
    return 0
  }
}

/** Some clients, such as ioredis, mix the methods of emitters into classes of their own. */
function listenersOf(it: unknown): number {
  if (!Object.hasOwn(it as object, '_events')) return 0
  const events = Object.values((it as { _events: object | undefined })._events ?? {})
  return events.reduce((sum, listeners) => sum + (Array.isArray(listeners) ? listeners.length : 1), 0)
}
