import type { Rule, Token } from './rules.ts'

/** Tabs of one browser that share a token. */
export interface Scenario {
  tabs: number
  /** How often each tab refreshes, in milliseconds. */
  every: number
  /** How long a request, and an answer, takes at most, in milliseconds. */
  delay: number
  /** The share of answers that never arrive. */
  lost: number
  /** How long it goes on, in milliseconds. */
  duration: number
}

/** Events in the order of their times: a binary heap. */
class Timeline {
  readonly #heap: { at: number; act: () => void }[] = []
  now = 0

  after(delay: number, act: () => void): void {
    const heap = this.#heap
    const event = { at: this.now + delay, act }
    let i = heap.push(event) - 1
    for (let parent = (i - 1) >> 1; i > 0 && heap[parent]!.at > event.at; parent = (i - 1) >> 1) {
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = event
  }

  /** Runs events until there is none before `end`, or `isDone`. */
  run(end: number, isDone: () => boolean): void {
    const heap = this.#heap
    while (heap.length > 0 && heap[0]!.at < end && !isDone()) {
      const { at, act } = heap[0]!
      const last = heap.pop()!
      if (heap.length > 0) this.#sink(last)
      this.now = at
      act()
    }
  }

  #sink(event: { at: number; act: () => void }): void {
    const heap = this.#heap
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++
      if (child >= heap.length || heap[child]!.at >= event.at) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = event
  }
}

export interface Run {
  /** Whether the server took somebody who did nothing wrong for a thief. */
  isSignedOut: boolean
  /** The age of the oldest generation that was accepted. */
  oldest: number
}

/**
 * Runs tabs that share one token, as a cookie is shared. An access token is used as soon as its
 * answer has arrived, which is the earliest that the server can learn of it.
 */
export function runTabs(
  rule: Rule,
  { tabs, every, delay, lost, duration }: Scenario,
  random: () => number,
): Run {
  const time = new Timeline()
  const family = rule.open(0)
  let jar: Token = family.first
  const run: Run = { isSignedOut: false, oldest: 0 }
  const refresh = (): void => {
    const presented = jar
    time.after(every, refresh)
    time.after(random() * delay, () => {
      const answer = family.refresh(presented, time.now)
      if (answer === undefined) {
        run.isSignedOut = true
        return
      }
      run.oldest = Math.max(run.oldest, answer.age)
      if (random() < lost) return
      const received = answer.token ?? presented
      time.after(random() * delay, () => {
        if (answer.token !== undefined) jar = answer.token
        family.confirm(received, time.now)
      })
    })
  }
  for (let tab = 0; tab < tabs; tab++) time.after(random() * every, refresh)
  time.run(duration, () => run.isSignedOut)
  return run
}

const WEEK = 7 * 86_400_000
const HOUR = 3_600_000
/**
 * Lets a thief copy the token of a client and refresh at the same pace. Returns how long it takes
 * until the server notices, in milliseconds, at most a week.
 *
 * @param every how often both refresh, in milliseconds, on average.
 * @param spread by which part of `every` an interval differs from the average at most.
 */
export function runTheft(rule: Rule, every: number, spread: number, random: () => number): number {
  const time = new Timeline()
  const family = rule.open(0)
  const victim = { token: family.first }
  const stolenAt = HOUR + random() * every
  let isNoticed = false
  const refresh = (holder: { token: Token }): void => {
    const presented = holder.token
    time.after(every * (1 + spread * (2 * random() - 1)), () => refresh(holder))
    time.after(random() * 1000, () => {
      const answer = family.refresh(presented, time.now)
      if (answer === undefined) {
        isNoticed = true
        return
      }
      time.after(random() * 1000, () => {
        if (answer.token !== undefined) holder.token = answer.token
        family.confirm(answer.token ?? presented, time.now)
      })
    })
  }
  time.after(random() * every, () => refresh(victim))
  time.after(stolenAt, () => {
    const thief = { token: victim.token }
    time.after(random() * every, () => refresh(thief))
  })
  time.run(stolenAt + WEEK, () => isNoticed)
  return isNoticed ? time.now - stolenAt : WEEK
}

/** Returns a value below which this share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
}
