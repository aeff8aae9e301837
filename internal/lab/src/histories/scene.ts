import { setTimeout as pause } from 'node:timers/promises'
import type { Place } from './place.ts'

/** What a fault may lose, see `Verb`. */
type Loss = 'flush' | 'crash' | 'failover' | 'split' | 'join'

/** What a fault can disturb. */
export interface Scene {
  readonly place: Place
  readonly random: () => number
  /** The number of the application's processes. */
  readonly processes: number
  /** Kills a process of the application, and starts it again. */
  restart(process: number): Promise<void>
  /** Stops a process of the application, or lets it go on. */
  setPaused(process: number, isPaused: boolean): void
  /** Sets the clock of a process of the application by so many milliseconds, back where negative. */
  moveClock(process: number, by: number): void
  /** Runs what removes everything (`flush`), or what was not acknowledged (`crash`), and notes that. */
  lose(what: Loss, act: () => Promise<unknown>): Promise<void>
}

/** Strikes, and mends what it broke. */
export type Fault = (scene: Scene) => Promise<unknown>

/** Pauses between these two numbers of milliseconds. */
export const rest = ({ random }: Scene, least: number, most: number): Promise<void> =>
  pause(least + random() * (most - least))
