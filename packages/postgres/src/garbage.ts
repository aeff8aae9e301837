import type { Duplex } from 'node:stream'
import type pg from 'pg'

/** Fields of a pg client that its types do not declare. */
interface Undeclared {
  readonly connection?: { attachListeners?(stream: Duplex): void }
}

/**
 * Closes a connection on which something comes that pg cannot read. Without this, it ends the process:
 * pg reads messages in a listener of the socket, where nobody can catch the error.
 */
export function closeOnGarbage(client: pg.Client): void {
  const { connection } = client as unknown as Undeclared
  const attachListeners = connection?.attachListeners
  if (typeof attachListeners !== 'function') return
  connection!.attachListeners = (stream) => {
    attachListeners.call(connection, stream)
    for (const listener of stream.listeners('data')) {
      stream.off('data', listener as () => void)
      stream.on('data', (bytes) => {
        try {
          listener(bytes)
        } catch (error) {
          stream.destroy(toReadError(error))
        }
      })
    }
  }
}

/** Returns an error that counts as a broken connection. */
const toReadError = (cause: unknown): Error =>
  Object.assign(new Error('PostgreSQL sent something that is no message of its protocol', { cause }), {
    code: 'EPROTO',
    syscall: 'read',
  })
