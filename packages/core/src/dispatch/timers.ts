/**
 * The timers and clocks of the runtime as they were when this module was loaded. Tests of applications replace the
 * global ones (fake timers), and a call that waits for a real database must not wait for a test to move the time on.
 */
export const setTimeout: typeof globalThis.setTimeout = globalThis.setTimeout
export const clearTimeout: typeof globalThis.clearTimeout = globalThis.clearTimeout
export const setImmediate: typeof globalThis.setImmediate = globalThis.setImmediate
export const nextTick: typeof process.nextTick = process.nextTick

/** Milliseconds since the process began; no change of the system's clock moves it. */
export const uptime: () => number = performance.now.bind(performance)

/** Fulfils after so many milliseconds. */
export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
