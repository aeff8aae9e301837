import { type CallEvent, events } from '@session-stores/core'

/** Returns the calls of the database that end while `act` runs. */
export async function recordCalls(act: () => Promise<unknown>): Promise<CallEvent[]> {
  const calls: CallEvent[] = []
  const record = (message: unknown) => void calls.push(message as CallEvent)
  events.call.subscribe(record)
  try {
    await act()
    return calls
  } finally {
    events.call.unsubscribe(record)
  }
}
