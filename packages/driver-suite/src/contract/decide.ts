import assert from 'node:assert/strict'
import type { Write } from '@session-stores/core'
import { HOUR } from '../common.ts'
import { type DriverRule, KEY, makeSession, put, read, readLive, toRow, write } from './fixture.ts'

/**
 * Rules about each kind of write to a row in each possible state: all of clause 2 of the contract.
 */

type Verb = keyof typeof kinds
type State = keyof typeof states
/** `has-landed-on` means that the write was sent twice: it counts as landed and changes nothing. */
type Verdict = 'lands-on' | 'refuses' | 'has-landed-on'

const AGO = HOUR
const LATER = 3 * HOUR

/**
 * The row before the write. `left` is the time from the write to the deadline of the row, in
 * milliseconds.
 */
const states = {
  'missing-row': null,
  'session-with-other-tag': { tag: 'other', left: LATER },
  'session-with-expected-tag': { tag: 'expected', left: LATER },
  'session-with-own-tag': { tag: 'own', left: LATER },
  'expired-session': { tag: 'expected', left: -AGO },
  'expired-session-with-own-tag': { tag: 'own', left: -AGO },
  'session-expiring-now': { tag: 'expected', left: 0 },
  'live-tombstone-with-other-tag': { tag: 'other', left: LATER, data: null },
  'live-tombstone-with-expected-tag': { tag: 'expected', left: LATER, data: null },
  'live-tombstone-with-own-tag': { tag: 'own', left: LATER, data: null },
  'expired-tombstone': { tag: 'expected', left: -AGO, data: null },
  'tombstone-expiring-now': { tag: 'expected', left: 0, data: null },
} satisfies Record<string, { tag: string; left: number; data?: null } | null>

const kinds = {
  create: { expect: '' },
  update: { expect: 'expected' },
  tombstone: { data: null, expect: undefined },
  'conditional-tombstone': { data: null, expect: 'expected' },
} satisfies Record<string, Pick<Write, 'expect'> & { data?: null }>

function decide(verb: Verb, state: State): Verdict {
  const there = states[state]
  const isLive = there !== null && there.left > 0
  if (isLive && there.tag === 'own') return 'has-landed-on'
  if (verb === 'tombstone') return 'lands-on'
  if (verb === 'create') return isLive ? 'refuses' : 'lands-on'
  return isLive && there.tag === 'expected' ? 'lands-on' : 'refuses'
}

function explainVerdict(verb: Verb, state: State): string {
  const result = decide(verb, state)
  if (result === 'has-landed-on')
    return 'A save sent again after a lost reply is reported as lost, or undoes what happened since.'
  if (verb === 'tombstone')
    return 'A logout that does not land leaves the session open to whoever holds its id.'
  if (result === 'lands-on')
    return verb === 'conditional-tombstone'
      ? 'The end of a session is not stored, and the session stays open.'
      : 'A save that should land is lost: a user who logs in stays logged out.'
  if (verb === 'conditional-tombstone')
    return 'What was to end one version of a session logs out a user who has saved another since.'
  if (state.includes('tombstone'))
    return 'A slow request that saves after the logout brings the session back.'
  if (verb === 'create') return 'Two requests that start a session with one id overwrite each other unseen.'
  if (state === 'session-with-other-tag')
    return 'A save overwrites what another request saved meanwhile, unseen.'
  return 'A slow request brings back a session that was revoked or had expired.'
}

function makeDecisionRule(verb: Verb, state: State): DriverRule {
  const expected = decide(verb, state)
  return {
    id: `contract/decide/${verb}-${expected}-${state}`,
    why: explainVerdict(verb, state),
    async check({ a, b, now: start }) {
      const now = start + 2 * HOUR
      const key = KEY
      const there = states[state]
      if (there) {
        const { left, ...more } = there
        const row = makeSession(key, start, { ...more, expiresAt: now + left })
        await put(a, start, 'data' in more ? { ...row, expect: undefined } : row)
      }
      const before = await readLive(b, now, key)
      const next = makeSession(key, now, { tag: 'own', ...kinds[verb] })
      assert.deepEqual(await write(b, now, next), expected === 'refuses' ? [] : [key], 'the keys that landed')
      if (expected !== 'lands-on')
        return assert.deepEqual(await readLive(a, now, key), before, 'the live row stays as it was')
      // `createdAt` is left out, because the rules in `write.ts` check it.
      const [row] = await read(a, key)
      assert.deepEqual({ ...row, createdAt: now }, toRow(next), 'the row is what was written')
    },
  }
}

/**
 * A tombstone that always lands can meet its own tag only on the same tombstone, because each write
 * has a new tag.
 */
const isImpossible = (verb: Verb, state: State): boolean =>
  verb === 'tombstone' && decide(verb, state) === 'has-landed-on'

export const decisions: DriverRule[] = (Object.keys(kinds) as Verb[]).flatMap((verb) =>
  (Object.keys(states) as State[])
    .filter((state) => !isImpossible(verb, state))
    .map((state) => makeDecisionRule(verb, state)),
)
