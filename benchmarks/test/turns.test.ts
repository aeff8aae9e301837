import { describe, expect, it } from 'vitest'
import { Turn, Turns } from '../src/run/turns.ts'

describe('turns', () => {
  it('rotate one at a time and skip subjects that are done', async () => {
    const turns = new Turns(3)
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

  it('continue when a waiting subject is done', async () => {
    const turns = new Turns(3)
    const [first, gone, last] = [new Turn(turns), new Turn(turns), new Turn(turns)]
    const begins = first.pass()
    const waits = gone.pass()
    const goesOn = last.pass()
    await begins
    gone.over()
    first.over()
    await waits
    await goesOn
  })

  it('begin after all subjects have asked or given up', async () => {
    const turns = new Turns(3)
    const [first, second, failed] = [new Turn(turns), new Turn(turns), new Turn(turns)]
    let begun = false
    const begins = first.pass().then(() => {
      begun = true
    })
    failed.over()
    await new Promise(setImmediate)
    expect(begun).toBe(false)
    const waits = second.pass()
    await begins
    first.over()
    await waits
  })
})
