import assert from 'node:assert/strict'
import { rules, run, suite } from '@session-stores/conformance'
import { describe, it } from 'vitest'
import { mutants } from './mutants/index.ts'
import { reference } from './reference.ts'

suite({ describe, it, ...reference() })

describe.concurrent('a broken store is found by the rule against it', () => {
  it('every rule has a mutant, and every mutant its rule', () => {
    assert.deepEqual(Object.keys(mutants).sort(), rules.map(({ id }) => id).sort())
  })
  for (const rule of rules)
    it(rule.id, async () => {
      const [result] = await run(reference(mutants[rule.id]), [rule], {
        deadline: 6000,
      })
      assert.equal(result?.outcome, 'failed')
    })
})

it('a failure of one session among many shows the calls of that one', async () => {
  for (const [id, shown] of [
    ['concurrency/save-beside-a-touch-stays', 1],
    ['destroy/save-at-the-same-moment-does-not-undo-it', 1],
    ['ids/paths', 2],
  ] as const) {
    const [rule] = rules.filter((one) => one.id === id)
    const [result] = await run(reference(mutants[id]), [rule!])
    const sessions = result!.trace!.map((line) => /^\w+\.\w+\('(.+?)'/.exec(line)?.[1])
    assert.equal(new Set(sessions).size, shown, `${id}: ${sessions.join()}`)
    assert.match(result!.trace!.at(-1)!, /^store\.get\(/)
  }
})

it('a list of rows that are no sessions breaks the rule about that, and not those about who is in it', async () => {
  const rows = reference((store) => ({
    all: (callback) =>
      void store.all((error, found) => {
        const list = Object.entries(found ?? {}).map(([sid, one]) => ({ sid, sess: JSON.stringify(one) }))
        callback(error, list as never)
      }),
  }))
  const results = await run(
    rows,
    rules.filter(({ id }) => id.startsWith('all/') || id.endsWith('/all-of-them-are-listed')),
  )
  const failed = results.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id)
  assert.deepEqual(failed, ['all/tells-every-session'])
})
