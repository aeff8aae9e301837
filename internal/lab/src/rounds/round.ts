import { setTimeout as pause } from 'node:timers/promises'
import type { SessionStore } from '@session-stores/core'
import type { Caller } from './process.ts'
import type { Answer, Command } from './protocol.ts'

/** The number of broken promises over all rounds. All counts must be 0. */
export class Faults {
  /** Sessions that were found after their end was acknowledged. */
  alive = 0
  /** Acknowledged changes that are missing. */
  lost = 0
  /** Removed keys that came back after their removal was acknowledged. */
  back = 0
}

const isDone = ({ error }: Answer): boolean => error === undefined

/** Repeats the call until it is acknowledged or finally refused. */
async function insist(caller: Caller, command: Command): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const answer = await caller.call(command)
    if (isDone(answer) || /^(GONE|NO_REQUEST)$/.test(answer.error!) || tries === 50) return answer
    await pause(10)
  }
}

type Stored = Record<string, unknown> | null

/** Reads a session without the faulty network. */
async function readDirectly(store: SessionStore, id: string): Promise<Stored> {
  return (await store.get(id)) as Stored
}

/**
 * Plays one session of one user, used by two processes at once: a sign-in, saves of different and
 * equal keys, removals, touches, and an end by logout or `revokeUser` beside running requests.
 * Sessions whose end was acknowledged are added to `ended`, because they are checked again in the
 * end.
 */
export async function playRound(
  number: number,
  [one, other]: readonly [Caller, Caller],
  reader: SessionStore,
  faults: Faults,
  ended: string[],
): Promise<void> {
  const [id, user] = [`round-${number}`, `user-${number}`]
  const names = ['signIn', 'one', 'other', 'remover', 'late'].map((name) => `${name}-${number}`)
  const [signIn, mine, theirs, remover, late] = names as [string, string, string, string, string]
  const data = { user, first: 1, 'of-one': 1, 'of-other': 1 }

  // In every fourth round, the session is revoked as soon as it is visible, during its first save.
  if (number % 4 === 1) {
    const signedIn = one.call({ call: 'signIn', id, as: signIn, data })
    const revoked = await revokeOnceSeen(other, id, user)
    await signedIn
    await one.call({ call: 'save', id, as: signIn, set: { late: 1 } })
    if (revoked) await checkEnded(id, reader, faults, ended)
    await forget(one, other, names)
    return
  }

  const signedIn = await insist(one, { call: 'signIn', id, as: signIn, data })
  const before = await readDirectly(reader, id)
  if (isDone(signedIn) && before === null) faults.lost++
  if (before === null) return forget(one, other, names)

  await Promise.all([
    insist(one, { call: 'load', id, as: mine }),
    insist(other, { call: 'load', id, as: theirs }),
    insist(other, { call: 'load', id, as: late }),
  ])
  // The other process removes a key that the first one has just saved, maybe before its answer.
  const [saved, removed, kept] = await Promise.all([
    one.call({
      call: 'save',
      id,
      as: mine,
      set: { one: number, both: 'one', admin: true },
      remove: ['of-one'],
    }),
    removeOnceSeen(other, id, remover),
    other.call({ call: 'save', id, as: theirs, set: { other: number, both: 'other' }, remove: ['of-other'] }),
    one.call({ call: 'touch', id, as: signIn }),
  ])
  const middle = await readDirectly(reader, id)
  if (middle === null) faults.lost++
  else {
    if (isDone(saved) && middle.one !== number) faults.lost++
    if (isDone(saved) && 'of-one' in middle) faults.back++
    if (isDone(kept) && middle.other !== number) faults.lost++
    if (isDone(kept) && 'of-other' in middle) faults.back++
    if (removed && 'admin' in middle) faults.back++
    if (!('first' in middle)) faults.lost++
  }
  // The same request saves once more, whatever its first save returned.
  const again = await one.call({ call: 'save', id, as: mine, set: { again: number } })
  const after = await readDirectly(reader, id)
  if (isDone(again) && after?.again !== number) faults.lost++
  if (removed && after && 'admin' in after) faults.back++

  // One process ends the session while requests of both processes go on.
  const end: Command = number % 2 ? { call: 'revokeUser', user } : { call: 'destroy', id }
  const [over] = await Promise.all([
    insist(one, end),
    other.call({ call: 'save', id, as: late, set: { late: number } }),
    other.call({ call: 'touch', id, as: theirs }),
    one.call({ call: 'save', id, as: mine, set: { late: number } }),
  ])
  if (isDone(over)) {
    await other.call({ call: 'save', id, as: theirs, set: { later: number } })
    const renewed = await insist(other, { call: 'regenerate', id, as: theirs })
    if (isDone(renewed)) faults.alive++
    await checkEnded(id, reader, faults, ended)
  }
  await forget(one, other, names)
}

/** Returns whether the removal was acknowledged. */
async function removeOnceSeen(caller: Caller, id: string, as: string): Promise<boolean> {
  if (!(await isSeen(caller, id, 'admin'))) return false
  const loaded = await insist(caller, { call: 'load', id, as })
  if (!isDone(loaded) || loaded.found !== true) return false
  return isDone(await caller.call({ call: 'save', id, as, remove: ['admin'] }))
}

async function revokeOnceSeen(caller: Caller, id: string, user: string): Promise<boolean> {
  if (!(await isSeen(caller, id, 'first'))) return false
  const revoked = await insist(caller, { call: 'revokeUser', user })
  return isDone(revoked) && revoked.found === 1
}

/** Returns whether the key appears within a number of tries. */
async function isSeen(caller: Caller, id: string, key: string): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if ((await caller.call({ call: 'has', id, key })).found === true) return true
    await pause(2)
  }
  return false
}

async function checkEnded(id: string, reader: SessionStore, faults: Faults, ended: string[]): Promise<void> {
  if ((await readDirectly(reader, id)) !== null) faults.alive++
  ended.push(id)
}

async function forget(one: Caller, other: Caller, names: string[]): Promise<void> {
  await Promise.all([one, other].map((caller) => caller.call({ call: 'forget', names })))
}
