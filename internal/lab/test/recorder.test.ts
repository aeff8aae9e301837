import { expect, it } from 'vitest'
import { check, findGo } from '../src/histories/checker.ts'
import { Recorder } from '../src/histories/recorder.ts'
import { numberCalls } from './support/calls.ts'

const now = (): number => Number(process.hrtime.bigint() / 1000n)

it('the times of a call hold what its clock showed, also where the clock jumps forth and back', () => {
  const recorder = new Recorder()
  const begun = { at: now(), clock: 10_000 }
  recorder.begin(0, { number: 1, history: 'h', session: 'h-0', verb: 'refresh', begun })
  recorder.moveClock(0, 3000)
  recorder.moveClock(0, -2900)
  recorder.end(0, { number: 1, answer: 'ok', ended: { at: now() + 50_000, clock: 10_150 } })
  const [call] = recorder.take()[0]!.ops
  expect(call!.from).toBeLessThanOrEqual(10_000)
  expect(call!.to).toBeGreaterThanOrEqual(13_050)
})

it('the times of a call are those of its begin and its end where the clock does not jump', () => {
  const recorder = new Recorder()
  recorder.moveClock(1, 3000)
  const at = now()
  const begun = { at, clock: 10_000 }
  recorder.begin(0, { number: 1, history: 'h', session: 'h-0', verb: 'refresh', begun })
  recorder.end(0, { number: 1, answer: 'ok', ended: { at: at + 50_000, clock: 10_050 } })
  expect(recorder.take()).toMatchObject([{ ops: [{ from: 10_000, to: 10_050 }] }])
})

it.skipIf(findGo() === undefined)(
  'a session with many calls without an answer is decided',
  async () => {
    const call = numberCalls(() => 0)
    const user = { user: 'ann' }
    const unanswered = (verb: string, value: string) =>
      call(verb, [1, 900], { answer: 'unknown', set: { ...user, value }, deadline: 10_000 })
    const ops = [
      ...Array.from({ length: 12 }, (_, i) => [
        unanswered('create', `a${i}`),
        unanswered('plain', `b${i}`),
        call('destroy', [1, 900], { answer: 'unknown' }),
        call('update', [1, 900], { answer: 'unknown' }),
      ]).flat(),
      ...Array.from({ length: 12 }, (_, i) => call('get', [10 + i, 11 + i], { answer: 'null' })),
      ...Array.from({ length: 3 }, (_, i) =>
        call('get', [50 + i, 51 + i], { found: { ...user, value: 'a3' } }),
      ),
    ]
    const [verdict] = await check([{ id: 's', ops }])
    expect(verdict).toMatchObject({ result: 'ok' })
  },
  120_000,
)
