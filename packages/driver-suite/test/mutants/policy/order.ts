import type { Mutant } from './helpers.ts'

export const order: Readonly<Record<string, Mutant>> = {
  'policy/order/calls-about-the-whole-store-see-the-saves-before-them': (
    _right,
    driver,
    { now = Date.now },
  ) => ({
    length: async () => driver.count(now()),
  }),
  'policy/order/clear-takes-its-place-among-the-calls': (_right, driver) => ({
    clear: async () => driver.clear(),
  }),
}
