import { afterEach, it, vi } from 'vitest'
import { cases } from './cases.ts'

afterEach(() => void vi.useRealTimers())

it.each(cases)('%s', (_, check) =>
  check({
    fake: (now) => void vi.useFakeTimers({ now }),
    advance: (time) => void vi.advanceTimersByTime(time),
    restore: () => void vi.useRealTimers(),
  }),
)
