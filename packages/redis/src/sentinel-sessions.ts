import { timers } from '@session-stores/core'
import { isFault } from './errors.ts'
import { type NodeRedisNode, type NodeRedisSentinel, OPTIONS } from './node-redis.ts'

const { uptime } = timers

/**
 * After how many milliseconds a session takes no more commands, so that the application's own
 * `acquire()` and `use()` get their turn under load.
 */
const SPAN = 100

/** A time for which the client of the master is ours. */
interface Session {
  /** The client of the master, from the first command that it has sent. */
  master: NodeRedisNode | undefined
  readonly opened: Promise<NodeRedisNode>
  openedAt: number
  uses: number
  isOver: boolean
  end(error?: Error): void
}

/**
 * Sends commands to the master that a sentinel client of node-redis has found. Its own method
 * `sendCommand` would send a command again whose answer was lost, up to 16 times, and tell nobody.
 * Of several commands at once it would also let some wait until no other command is under way.
 */
export class SentinelSessions {
  readonly #sentinel: NodeRedisSentinel
  readonly #watch: (master: NodeRedisNode) => void
  readonly #watched = new WeakSet<NodeRedisNode>()
  #session: Session | undefined
  /** Fulfils when no session is open. */
  #over: Promise<unknown> = Promise.resolve()

  /** @param watch is called once with the client of each master */
  constructor(sentinel: NodeRedisSentinel, watch: (master: NodeRedisNode) => void) {
    this.#sentinel = sentinel
    this.#watch = watch
  }

  /** Sends the command once, unless no master was found within so many milliseconds. */
  send(args: string[], timeLimit: number): Promise<unknown> {
    const session = this.#join()
    const { master } = session
    const answer = master
      ? master.sendCommand(args, OPTIONS)
      : this.#sendLater(session, args, uptime() + timeLimit)
    answer.then(
      () => this.#leave(session),
      (error: Error) => this.#leave(session, error),
    )
    return answer
  }

  /** Ends the session on this client, because its connection has ended. */
  end(master: NodeRedisNode): void {
    if (this.#session?.master === master) this.#end(this.#session)
  }

  async #sendLater(session: Session, args: string[], until: number): Promise<unknown> {
    const master = await session.opened
    if (uptime() > until) throw new Error('no master was found in time')
    return master.sendCommand(args, OPTIONS)
  }

  #join(): Session {
    let session = this.#session
    if (session === undefined || session.isOver || uptime() - session.openedAt > SPAN)
      session = this.#session = this.#begin()
    session.uses++
    return session
  }

  #leave(session: Session, error?: Error): void {
    session.uses--
    // With this error, node-redis looks for the master that has taken over.
    if (error?.message.startsWith('READONLY')) this.#end(session, error)
    else if (session.uses === 0) this.#end(session)
  }

  #end(session: Session, error?: Error): void {
    session.isOver = true
    session.end(error)
  }

  #begin(): Session {
    const before = this.#over
    const session: Session = {
      master: undefined,
      opened: before.then(() => this.#open(session)),
      openedAt: Number.POSITIVE_INFINITY,
      uses: 0,
      isOver: false,
      end() {},
    }
    // This comes before all commands that wait.
    session.opened.then(
      (master) => {
        session.master = master
        session.openedAt = uptime()
      },
      () => this.#end(session),
    )
    return session
  }

  #open(session: Session): Promise<NodeRedisNode> {
    return new Promise((resolve, reject) => {
      // Node-redis 5 would loop for ever where it has not found any master yet.
      if (!this.#sentinel.isReady) throw new Error('the sentinel client knows no master')
      this.#over = this.#sentinel
        ._execute(false, async (master) => {
          // Node-redis calls again after an error that has ended the session.
          if (session.isOver) return reject(new Error('the connection was closed'))
          if (!this.#watched.has(master)) this.#watch(master)
          this.#watched.add(master)
          await new Promise<void>((end, fail) => {
            session.end = (error) => (error ? fail(error) : end())
            resolve(master)
          })
        })
        .catch((error: Error) => {
          reject(isFault(error) ? new Error('the sentinel client knows no master', { cause: error }) : error)
        })
    })
  }
}
