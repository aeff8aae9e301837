import { setTimeout as sleep } from 'node:timers/promises'
import type { Measurement } from '../results/results.ts'
import { openSubject } from '../subjects/open.ts'
import type { Place } from '../subjects/subject.ts'
import { closedLoop } from './closed-loop.ts'
import { Meter, type ServerCosts } from './meter.ts'
import type { Operation } from './operation.ts'
import { answerMessages, sharedClock } from './processes.ts'
import type { Point } from './protocol.ts'
import { prepare } from './store.ts'
import { findSessions, type Workload } from './workload.ts'

/** What the process of the job asks of each process of the fleet. */
export type FleetMessage =
  | { kind: 'open'; subject: string; place: Place; ids: readonly string[]; payload: number }
  | { kind: 'measure'; point: Point; times: FleetTimes }

/** Times of `sharedClock`, which are the same in all processes of the fleet. */
export interface FleetTimes {
  /** When the operations begin. */
  begin: number
  /** When counting starts, and when it ends. */
  from: number
  until: number
}

/** The measurement of one process. `begun` includes the operations that were not counted. */
export interface FleetAnswer {
  measurement: Measurement
  begun: number
}

/** The server is asked by the process of the job. This meter only keeps the number of operations. */
class FleetMeter extends Meter {
  begun = 0

  constructor() {
    super(async () => null)
  }

  override stopServer(operations: number): Promise<ServerCosts> {
    this.begun = operations
    return super.stopServer(operations)
  }
}

const meter = new FleetMeter()
let workload: Workload | undefined
const operations = new Map<string, Operation>()

async function open({ subject, place, ids, payload }: FleetMessage & { kind: 'open' }): Promise<void> {
  const { store, settle } = await openSubject(subject, place)
  settle?.()
  workload = await findSessions(store, ids, payload)
}

async function measure({ point, times }: FleetMessage & { kind: 'measure' }): Promise<FleetAnswer> {
  const { operation, parameters } = point
  const known = operations.get(operation) ?? (await prepare(workload!, point))
  operations.set(operation, known)
  const { step, size } = known
  await sleep(times.begin - sharedClock())
  const ahead = performance.now() - sharedClock()
  const options = {
    ...{ concurrency: parameters.concurrency, size, warmUp: point.warmUp, duration: point.duration },
    window: { from: times.from + ahead, until: times.until + ahead },
  }
  const measurement = await closedLoop(step, options, meter)
  return { measurement, begun: meter.begun }
}

answerMessages(async (message: FleetMessage) => (message.kind === 'open' ? open(message) : measure(message)))
