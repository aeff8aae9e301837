import { afterEach, it, mock } from 'node:test'
import { cases } from './cases.ts'

afterEach(() => mock.timers.reset())

for (const [name, check] of cases) {
  it(name, () =>
    check({
      fake: (now) => mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'], now }),
      advance: (time) => mock.timers.tick(time),
      restore: () => mock.timers.reset(),
    }),
  )
}
