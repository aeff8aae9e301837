/**
 * The timers and clocks of the runtime as they were when this module was loaded. Tests of
 * applications replace the global ones with fake timers, and a call to a real database must not
 * wait until a test moves the time on.
 */
export const setTimeout: typeof globalThis.setTimeout = globalThis.setTimeout
export const clearTimeout: typeof globalThis.clearTimeout = globalThis.clearTimeout
export const setImmediate: typeof globalThis.setImmediate = globalThis.setImmediate
export const nextTick: typeof process.nextTick = process.nextTick

/**
 * Returns the milliseconds since the process began. Changes of the system's clock do not move it.
 */
export const uptime: () => number = performance.now.bind(performance)

/** Resolves after `milliseconds`. */
export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
