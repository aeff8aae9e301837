import { failWhenBusy, type Mutant } from './helpers.ts'

export const lifecycle: Readonly<Record<string, Mutant>> = {
  'contract/lifecycle/has-a-name': () => ({ name: '' }),
  'contract/lifecycle/place-is-a-name': () => ({ place: 'redis://user:password@host/0' }),
  'contract/lifecycle/place-differs-between-stores': () => ({ place: 'sessions' }),
  'contract/lifecycle/setup-may-race': failWhenBusy('setup'),
  'contract/lifecycle/setup-keeps-what-is-there': (driver) => ({ setup: () => driver.clear() }),
  'contract/lifecycle/setup-takes-another-time-limit': (driver) => {
    let limit: number | undefined
    return {
      async setup(timeLimit = 5000) {
        if (limit !== undefined && limit !== timeLimit) throw new Error('mutant: already set up')
        limit = timeLimit
        await driver.setup(timeLimit)
      },
    }
  },
  'contract/lifecycle/ping-tells-the-time': () => ({ ping: () => Math.floor(Date.now() / 1000) }),
  'contract/lifecycle/ping-answers': () => ({
    ping() {
      throw new Error('mutant: no such command')
    },
  }),
  'contract/lifecycle/clear-removes-nothing-after-it-was-given-up': (driver) => ({
    clear: () => driver.clear(),
  }),
  'contract/lifecycle/clear-stops-between-two-steps': (driver) => ({
    clear: async () => driver.clear(),
  }),
  'contract/lifecycle/close-may-be-called-again': () => {
    let closed = false
    return {
      async close() {
        if (closed) throw new Error('mutant: already closed')
        closed = true
      },
    }
  },
  'contract/lifecycle/close-leaves-the-other-driver-open': (driver) => ({ close: () => driver.clear() }),
}
