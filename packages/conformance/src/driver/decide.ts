import assert from 'node:assert/strict'
import type { Write } from '@session-stores/core'
import { type DriverRule, HOUR, live, put, read, rowOf, session, write } from './fixture.ts'

/** Each kind of write against each state that its row can be in: the whole of the contract's clause 2. */

type Verb = 'upsert' | 'create' | 'update' | 'tombstone'
type State = keyof typeof states

const AGO = HOUR
const LATER = 3 * HOUR

/** What stands there when the write comes: deadlines are relative to the write. */
const states = {
  'missing-row': null,
  'session-with-other-tag': { tag: 'other', left: LATER },
  'session-with-expected-tag': { tag: 'expected', left: LATER },
  'session-with-own-tag': { tag: 'own', left: LATER },
  'expired-session': { tag: 'expected', left: -AGO },
  'expired-session-with-own-tag': { tag: 'own', left: -AGO },
  'session-expiring-now': { tag: 'expected', left: 0 },
  'live-tombstone': { tag: 'expected', left: LATER, data: null },
  'live-tombstone-with-own-tag': { tag: 'own', left: LATER, data: null },
  'expired-tombstone': { tag: 'expected', left: -AGO, data: null },
} satisfies Record<string, { tag: string; left: number; data?: null } | null>

const lands: Record<Verb, Record<State, boolean>> = {
  upsert: {
    'missing-row': true,
    'session-with-other-tag': true,
    'session-with-expected-tag': true,
    'session-with-own-tag': true,
    'expired-session': true,
    'expired-session-with-own-tag': true,
    'session-expiring-now': true,
    'live-tombstone': false,
    'live-tombstone-with-own-tag': false,
    'expired-tombstone': true,
  },
  create: {
    'missing-row': true,
    'session-with-other-tag': false,
    'session-with-expected-tag': false,
    'session-with-own-tag': true,
    'expired-session': true,
    'expired-session-with-own-tag': true,
    'session-expiring-now': true,
    'live-tombstone': true,
    'live-tombstone-with-own-tag': true,
    'expired-tombstone': true,
  },
  update: {
    'missing-row': false,
    'session-with-other-tag': false,
    'session-with-expected-tag': true,
    'session-with-own-tag': true,
    'expired-session': false,
    'expired-session-with-own-tag': false,
    'session-expiring-now': false,
    'live-tombstone': false,
    'live-tombstone-with-own-tag': false,
    'expired-tombstone': false,
  },
  tombstone: {
    'missing-row': true,
    'session-with-other-tag': true,
    'session-with-expected-tag': true,
    'session-with-own-tag': true,
    'expired-session': true,
    'expired-session-with-own-tag': true,
    'session-expiring-now': true,
    'live-tombstone': true,
    'live-tombstone-with-own-tag': true,
    'expired-tombstone': true,
  },
}

const expectations: Record<Verb, Pick<Write, 'expect'> & { data?: null }> = {
  upsert: {},
  create: { expect: '' },
  update: { expect: 'expected' },
  tombstone: { data: null },
}

function why(verb: Verb, state: State): string {
  if (verb === 'tombstone')
    return 'A logout that does not land leaves the session open to whoever holds its id.'
  if (lands[verb][state])
    return state.endsWith('own-tag')
      ? 'A call sent again after a lost reply is refused by its own first try, and the save is reported as lost.'
      : 'A save that should land is lost: a user who logs in stays logged out.'
  if (state.includes('tombstone'))
    return 'A slow request that saves after the logout brings the session back.'
  if (verb === 'create') return 'Two requests that start a session with one id overwrite each other unseen.'
  if (state === 'session-with-other-tag')
    return 'A save overwrites what another request saved meanwhile, unseen.'
  return 'A slow request brings back a session that was revoked or had expired.'
}

function decision(verb: Verb, state: State): DriverRule {
  const expected = lands[verb][state]
  return {
    id: `driver/${verb}-${expected ? 'lands-on' : 'refuses'}-${state}`,
    why: why(verb, state),
    async check({ a, b, now: start }) {
      const now = start + 2 * HOUR
      const key = 'the-key'
      const there = states[state]
      if (there) {
        const { left, ...more } = there
        await put(a, start, session(key, start, { ...more, expiresAt: now + left }))
      }
      const before = await live(b, now, key)
      const next = session(key, now, { tag: 'own', ...expectations[verb] })
      assert.deepEqual(await write(b, now, next), expected ? [key] : [], 'the keys that landed')
      if (!expected)
        return assert.deepEqual(await live(a, now, key), before, 'a refused write changes nothing')
      // What becomes of `createdAt` has rules of its own.
      const [row] = await read(a, key)
      assert.deepEqual({ ...row, createdAt: now }, rowOf(next), 'the row is what was written')
    },
  }
}

export const decisions: DriverRule[] = (Object.keys(lands) as Verb[]).flatMap((verb) =>
  (Object.keys(states) as State[]).map((state) => decision(verb, state)),
)
