import { timers } from '@session-stores/core'
import { isReply } from './errors.ts'
import { type Inspection, Link } from './link.ts'

const { clearTimeout, setTimeout } = timers

/**
 * How long the check waits for further masters of a cluster after the first one, in milliseconds.
 */
const PATIENCE = 500

/** A lent client. It connects by the settings of its owner. */
export abstract class LentLink extends Link {
  #isChecking = false

  protected reach(): void {
    if (this.#isChecking) {
      // The client goes on trying by itself, more and more rarely.
      if (isReply(this.failure)) throw this.failure
      return
    }
    this.#isChecking = true
    const check = this.client.isCluster ? this.#checkCluster() : this.check()
    check
      .finally(() => {
        this.#isChecking = false
      })
      .then(
        (inspections) => this.admit(inspections),
        (error) => this.turnAway(error),
      )
  }

  /** The number of the client's database, where the check has to select it. */
  protected get database(): number | undefined {
    return undefined
  }

  /** Checks the one connection. */
  protected async check(): Promise<Inspection[]> {
    for (;;) {
      const { breaks } = this
      const inspection = await this.inspect(this.client, this.database)
      // Where the connection broke meanwhile, the new one has not been inspected.
      if (breaks === this.breaks) return [inspection]
    }
  }

  /** Fulfils once the client knows the masters of its cluster. */
  protected async findMasters(): Promise<void> {
    await this.client.call('TIME')
  }

  /** Checks the masters. One that is down delays the check by `PATIENCE` at most. */
  async #checkCluster(): Promise<Inspection[]> {
    await this.findMasters()
    const found: Inspection[] = []
    const inspections = this.client.nodes!('master').map(async (node) => {
      found.push(await this.inspect(node, undefined))
    })
    await Promise.any(inspections).catch(({ errors }: AggregateError) => {
      throw errors[0]
    })
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE)
      Promise.allSettled(inspections).then(() => {
        clearTimeout(timer)
        resolve()
      })
    })
    return found
  }
}
