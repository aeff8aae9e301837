import type { SessionStore } from '@session-stores/core'
import { HOUR } from '../common.ts'
import { ID } from './sessions.ts'

/** The reason for the rules about saves after a logout. */
export const BACK = 'Who has logged out is logged in again.'

type End = (store: SessionStore) => Promise<unknown>
type EndByTime = (store: SessionStore, clock: { now: number }) => Promise<unknown>

/** The ways in which another process ends one session, whose user is ann. */
export const logoutEndings: Readonly<Record<'destroyed' | 'revoked' | 'revoked-with-its-user', End>> = {
  destroyed: (store) => store.destroy(ID),
  revoked: (store) => store.revoke(store.handle(ID)),
  'revoked-with-its-user': (store) => store.revokeUser('ann'),
}

/** All ways in which a session ends while a request works on it. */
export const endings: Readonly<Record<string, EndByTime>> = {
  ...logoutEndings,
  cleared: (store) => store.clear(),
  async expired(_store, clock) {
    clock.now += 48 * HOUR
  },
}
