import assert from 'node:assert/strict'
import { describe, it, onTestFinished } from 'vitest'
import type { Done } from '../src/dispatch/settle.ts'
import type { Row, Write } from '../src/driver.ts'
import { keysOf } from '../src/encoding/key.ts'
import { events } from '../src/events.ts'
import { memoryDriver } from '../src/memory.ts'
import type { Known } from '../src/near/known.ts'
import { Near } from '../src/near/near.ts'
import { type StoreOptions, toSettings } from '../src/options.ts'

/** What `Near` remembers of reads, saves and touches that overlap. */

const KEY = 'key'
const FRESHNESS = 60_000
const HOUR = 3_600_000

function open(options: StoreOptions = {}) {
  const clock = { now: 1_700_000_000_000 }
  const now = () => clock.now
  const settings = toSettings({ freshness: FRESHNESS, now, hashIds: false, ...options }, memoryDriver())
  const near = new Near(settings, keysOf(settings.hashIds), 'memory')
  onTestFinished(() => near.close())
  const rowOf = (tag: string, life: number = HOUR): Row => {
    const times = { createdAt: clock.now, expiresAt: clock.now + life }
    return { key: KEY, data: `text of ${tag}`, tag, user: null, ...times }
  }
  /** Begins a lookup. The database answers when `answer` is called. */
  const look = () => {
    let answer: Done<Row> | undefined
    let found: Known | undefined
    near.read(
      KEY,
      FRESHNESS,
      false,
      (done) => {
        answer = done
      },
      (_, known) => {
        found = known
      },
    )
    return { asked: answer !== undefined, answer: (row?: Row) => answer!(null, row), found: () => found }
  }
  /** Begins a save that expects the tag `expect`. */
  const save = (tag: string, expect: string, more: Partial<Write> = {}) => {
    const write: Write = { ...rowOf(tag), expect, ...more }
    const change = near.begin(KEY)
    return { landed: (hasLanded = true) => near.written(write, change, hasLanded) }
  }
  const touch = (tag: string | undefined, life: number) => {
    const change = near.begin(KEY)
    const sentAt = clock.now
    const sent = { key: KEY, user: null, tag, expiresAt: sentAt + life }
    return { answered: (isAnswered = true) => near.touched(sent, change, sentAt, isAnswered) }
  }
  const learn = (row: Row) => look().answer(row)
  const tagOf = () => near.find(KEY, FRESHNESS)?.tag
  return { clock, near, rowOf, look, save, touch, learn, tagOf }
}

describe('what a process knows of a session', () => {
  it('is not what a read found that began before a save was answered', () => {
    const { look, save, rowOf, tagOf } = open()
    const early = look()
    save('new', 'old').landed()
    early.answer(rowOf('old'))
    assert.equal(early.found()?.tag, 'old')
    assert.equal(tagOf(), 'new')
  })

  it('is shared by lookups, but not with a read that began before a save was answered', () => {
    const { look, save, rowOf } = open()
    const early = look()
    const second = look()
    assert.equal(second.asked, false)
    save('new', 'old').landed(false)
    assert.equal(look().asked, true)
    early.answer(rowOf('old'))
    assert.equal(second.found()?.tag, 'old')
  })

  it('is not what a save wrote whose answer comes after that of a later save', () => {
    const { save, tagOf } = open()
    const [first, second] = [save('first', 'old'), save('second', 'first')]
    second.landed()
    first.landed()
    assert.equal(tagOf(), undefined)
  })

  it('ends with a save that was refused or got no answer', () => {
    const { save, learn, rowOf, tagOf } = open()
    learn(rowOf('old'))
    save('new', 'older').landed(false)
    assert.equal(tagOf(), undefined)
  })

  it('after a save that may only extend keeps the later deadline, and the age of the read', () => {
    const { clock, near, save, learn, rowOf } = open()
    learn(rowOf('old', 2 * HOUR))
    const end = clock.now + 2 * HOUR
    clock.now += FRESHNESS / 2
    save('new', 'old', { extend: true }).landed()
    assert.equal(near.find(KEY, FRESHNESS)?.tag, 'new')
    assert.equal(near.recall(KEY)?.expiresAt, end)
    clock.now += FRESHNESS / 2
    assert.equal(near.find(KEY, FRESHNESS), undefined)
  })

  it('ends with a save that may only extend, where the deadline is not known', () => {
    const { save, tagOf } = open()
    save('new', 'old', { extend: true }).landed()
    assert.equal(tagOf(), undefined)
  })

  it('has the earlier deadline of touches at the same time, and the last one of others', () => {
    const { near, learn, rowOf, touch } = open()
    learn(rowOf('tag'))
    const deadline = () => near.recall(KEY)!.expiresAt - near.recall(KEY)!.time
    touch('tag', 2 * HOUR).answered()
    assert.equal(deadline(), 2 * HOUR)
    touch('tag', HOUR).answered()
    assert.equal(deadline(), HOUR)
    const [short, long] = [touch('tag', HOUR / 2), touch('tag', 3 * HOUR)]
    long.answered()
    assert.equal(deadline(), 3 * HOUR)
    short.answered()
    assert.equal(deadline(), HOUR / 2)
    const [one, other] = [touch('tag', HOUR / 4), touch('tag', 3 * HOUR)]
    one.answered()
    other.answered()
    assert.equal(deadline(), HOUR / 4)
  })

  it('ends with a touch that came after the deadline, or was for another version', () => {
    const { clock, learn, rowOf, touch, near } = open()
    learn(rowOf('tag', 1000))
    clock.now += 1000
    touch('tag', HOUR).answered()
    assert.equal(near.recall(KEY), undefined)
    learn(rowOf('tag'))
    touch('another', HOUR).answered()
    assert.equal(near.recall(KEY), undefined)
  })

  it('stays as it is where a touch got no answer', () => {
    const { learn, rowOf, touch, tagOf } = open()
    learn(rowOf('tag'))
    touch('tag', 2 * HOUR).answered(false)
    assert.equal(tagOf(), 'tag')
  })

  it('is not what a read found that began before a touch was answered', () => {
    const { look, touch, rowOf, tagOf } = open()
    const early = look()
    touch('tag', 1).answered()
    early.answer(rowOf('tag'))
    assert.equal(tagOf(), undefined)
  })

  it('is as old as the question, and counts by both clocks', () => {
    const { clock, look, rowOf, near } = open()
    const slow = look()
    clock.now += FRESHNESS - 1
    slow.answer(rowOf('tag'))
    assert.ok(near.find(KEY, FRESHNESS))
    clock.now += 1
    assert.equal(near.find(KEY, FRESHNESS), undefined)
    // The clock of the system was set back.
    clock.now -= 2 * FRESHNESS
    assert.equal(near.find(KEY, FRESHNESS), undefined)
    const known = near.recall(KEY)!
    assert.ok(known.isRecent(FRESHNESS, known.time))
    assert.equal(known.isRecent(Number.MIN_VALUE, known.time), false)
  })

  it.each([true, false])('ends when a store of this process ends the session (hashIds: %s)', (hashIds) => {
    const { learn, rowOf, tagOf, look } = open({ hashIds })
    const handle = keysOf(hashIds).handle(KEY)
    learn(rowOf('tag'))
    events.ended.publish({ driver: 'another', handle })
    assert.equal(tagOf(), 'tag')
    events.ended.publish({ driver: 'memory', handle })
    assert.equal(tagOf(), undefined)
    learn(rowOf('tag'))
    const under = look()
    events.ended.publish({ driver: 'memory' })
    under.answer(rowOf('tag'))
    assert.equal(tagOf(), undefined)
  })

  it('is bounded in bytes, and says when it is forgotten', () => {
    const { near, learn, rowOf } = open({ cacheBytes: 100_000 })
    learn(rowOf('first'))
    const first = near.recall(KEY)!
    for (let i = 0; i < 1000; i++) {
      const change = near.begin(`key-${i}`)
      const write = { ...rowOf('tag'), key: `key-${i}`, data: 'é'.repeat(500), expect: '' }
      near.written(write, change, true)
      assert.ok(near.size <= 100_000)
    }
    assert.equal(first.isOver, true)
    assert.equal(near.recall('key-0'), undefined)
    assert.ok(near.recall('key-999'))
  })

  it('is nothing where the session is larger than the memory', () => {
    const { near, learn, rowOf } = open({ cacheBytes: 100 })
    learn(rowOf('tag'))
    assert.equal(near.recall(KEY), undefined)
  })
})
