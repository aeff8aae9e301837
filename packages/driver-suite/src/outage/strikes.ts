import type { Outage } from './outage.ts'

/** A server's process. */
interface Server {
  /** SIGKILL; fulfils when it is dead. */
  kill(): Promise<void>
  start(): Promise<void>
  /** SIGSTOP: connections stay open, nothing is answered. */
  pause(): void
  resume(): void
}

/** How many calls fail before the server is there again. */
const FAILURES = 1000

export const crash = (server: Pick<Server, 'kill' | 'start'>): Outage => ({
  async strike(load) {
    await server.kill()
    await load.fails(FAILURES)
    await server.start()
  },
})

export const hang = (server: Pick<Server, 'pause' | 'resume'>): Outage => ({
  async strike(load) {
    server.pause()
    try {
      await load.fails(FAILURES)
    } finally {
      server.resume()
    }
  },
})

/** A member that others replace is silent until they did, and comes back. */
export const replace = (member: Pick<Server, 'pause' | 'resume'>): Outage => ({
  strike: () => member.pause(),
  return: () => member.resume(),
})
