import { describe, expect, it } from 'vitest'
import { Turn, Turns } from '../src/turns.ts'

describe('turns', () => {
  it('go round, one at a time, and past those that are over', async () => {
    const turns = new Turns()
    const said: string[] = []
    let working = 0
    const work = async (name: string, times: number) => {
      const turn = new Turn(turns)
      for (let time = 0; time < times; time++) {
        await turn.pass()
        expect(++working).toBe(1)
        said.push(name)
        await Promise.resolve()
        working--
      }
      turn.over()
    }
    await Promise.all([work('a', 3), work('b', 1), work('c', 2)])
    expect(said.join('')).toBe('abcaca')
  })

  it('go on when one is over while it waits', async () => {
    const turns = new Turns()
    const [first, gone, last] = [new Turn(turns), new Turn(turns), new Turn(turns)]
    await first.pass()
    const waits = gone.pass()
    gone.over()
    const goesOn = last.pass()
    first.over()
    await waits
    await goesOn
  })
})
