import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { it } from 'vitest'
import { Batch, type Entry } from '../src/dispatch/batch.ts'

/** Milliseconds. */
const TIMEOUT = 60_000

it('an entry that waits for too long expires, even behind one that replaced an older entry of its key', async () => {
  const expired: Entry[] = []
  let sent = 0
  // No batch is answered, so entries wait from the fifth batch on.
  const batch = new Batch<Entry>(
    TIMEOUT,
    (entry) => expired.push(entry),
    () => void sent++,
  )
  const begun = performance.now()
  const entry = (key: string, after: number): Entry => ({ key, size: 1, at: begun + after })
  for (let i = 0; i < 4; i++) {
    batch.add(entry(`sent-${i}`, 0))
    await turn()
  }
  assert.equal(sent, 4)
  const [busy, other] = [entry('busy', 1), entry('other', 2)]
  batch.add(busy)
  batch.add(other)
  // The first call was answered meanwhile, so the next save of its session takes its place.
  const next = entry('busy', TIMEOUT / 2)
  batch.add(next)
  assert.deepEqual(expired, [busy])
  batch.add(entry('last', TIMEOUT + 3))
  assert.deepEqual(expired, [busy, other])
  assert.equal(batch.waiting('busy'), next)
})
