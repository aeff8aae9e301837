import type { Outage } from './outage.ts'

/** The process of a server. */
interface Server {
  /** Sends SIGKILL, and fulfils when the process has exited. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Sends SIGSTOP: connections stay open, but the server answers nothing. */
  pause(): void
  resume(): void
}

/** How many calls must fail before the server comes back. */
const FAILURES = 1000

/** Kills the server, and starts it again after many calls have failed. */
export const crash = (server: Pick<Server, 'kill' | 'start'>): Outage => ({
  async strike(load) {
    await server.kill()
    await load.fails(FAILURES)
    await server.start()
  },
})

/** Pauses the server, and resumes it after many calls have failed. */
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

/** Pauses a member until other members have taken over and service is back, and then resumes it. */
export const replace = (member: Pick<Server, 'pause' | 'resume'>): Outage => ({
  strike: () => member.pause(),
  return: () => member.resume(),
})
