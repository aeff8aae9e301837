import { readFileSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Measurement } from '../results/results.ts'
import type { Usage } from './protocol.ts'

/** The costs of an operation besides its time. */
export type Costs = OwnCosts & ServerCosts

/** The costs in this process. */
type OwnCosts = Pick<Measurement, 'cpuApp' | 'bytesIn' | 'bytesOut' | 'rssPeak' | 'eventLoopDelayP99'>

/** The costs in the server. */
export type ServerCosts = Pick<Measurement, 'roundTrips' | 'commands' | 'cpuServer'>

/** All connections that this process has opened. */
const sockets = new Set<Socket>()

const { connect } = Socket.prototype
Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
  sockets.add(this)
  return (connect as (...args: unknown[]) => Socket).apply(this, args)
} as typeof connect

/** The sampling interval of the event loop, in milliseconds. */
const RESOLUTION = 1

/**
 * Measures the resources that this process uses between `start` and `stop`, and the server between
 * `startServer` and `stopServer`. The server should be asked while no operation is in flight
 * because it answers with a delay.
 */
export class Meter {
  readonly #usage: () => Promise<Usage | null>
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION })
  #server: Usage | null = null
  #bytes = { in: 0, out: 0 }
  #cpu: NodeJS.CpuUsage = process.cpuUsage()

  /** @param usage asks the server; resolves with `null` if there is no server */
  constructor(usage: () => Promise<Usage | null>) {
    this.#usage = usage
  }

  async startServer(): Promise<void> {
    this.#server = await this.#usage()
  }

  async stopServer(operations: number): Promise<ServerCosts> {
    const [before, after] = [this.#server, await this.#usage()]
    const each = (from: number | null | undefined, to: number | null | undefined) =>
      typeof from === 'number' && typeof to === 'number' ? (to - from) / operations : null
    return {
      roundTrips: each(before?.roundTrips, after?.roundTrips),
      commands: each(before?.commands, after?.commands),
      cpuServer: before && after && cpuBetween(before, after, operations),
    }
  }

  start(): void {
    // This resets the peak of the memory.
    writeFileSync('/proc/self/clear_refs', '5')
    this.#bytes = bytes()
    this.#delay.reset()
    this.#delay.enable()
    this.#cpu = process.cpuUsage()
  }

  stop(operations: number): OwnCosts {
    const { user, system } = process.cpuUsage(this.#cpu)
    this.#delay.disable()
    const { in: bytesIn, out: bytesOut } = bytes()
    return {
      cpuApp: (user + system) / operations,
      bytesIn: (bytesIn - this.#bytes.in) / operations,
      bytesOut: (bytesOut - this.#bytes.out) / operations,
      rssPeak: Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024,
      eventLoopDelayP99: Math.max(0, this.#delay.percentile(99) / 1e6 - RESOLUTION),
    }
  }
}

function bytes(): { in: number; out: number } {
  const sum = { in: 0, out: 0 }
  for (const socket of sockets) {
    sum.in += socket.bytesRead
    sum.out += socket.bytesWritten
  }
  return sum
}

/**
 * Returns CPU microseconds per operation of the threads that still run, or `null` if the system
 * does not report any.
 */
function cpuBetween(before: Usage, after: Usage, operations: number): number | null {
  const used = Object.entries(after.cpu).map(([thread, time]) => time - (before.cpu[Number(thread)] ?? 0))
  return used.length === 0 ? null : used.reduce((sum, time) => sum + time, 0) / 1000 / operations
}
