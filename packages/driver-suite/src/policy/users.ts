import assert from 'node:assert/strict'
import type { ListedSession, SessionStore } from '@session-stores/core'
import { DAY, HOUR } from '../common.ts'
import { assertFails, prefixRules, type StoreRule } from './fixture.ts'
import { load, makeFresh, makePlain, read, readUser, save, saveUsers } from './sessions.ts'

/** Rules about the user of a session, and about lists of sessions. */

const rule = prefixRules('policy/users')

async function listAll(
  store: SessionStore,
  query: { user?: string | number; limit?: number } = {},
): Promise<ListedSession[]> {
  const found: ListedSession[] = []
  let after: string | undefined
  do {
    const page = await store.list({ ...query, after })
    found.push(...page.sessions)
    after = page.next
  } while (after !== undefined)
  return found
}

const readNames = (found: ListedSession[]): unknown[] =>
  found.map(({ session }) => (session as unknown as { name: unknown }).name).sort()

export const users: StoreRule[] = [
  rule(
    'list-gives-the-sessions-of-a-user',
    "A user does not see where else they are logged in, or sees others'.",
    async ({ open, openOther }) => {
      await saveUsers(open({ user: readUser }))
      const store = openOther({ user: readUser })
      assert.deepEqual(readNames((await store.list({ user: 'ann' })).sessions), ['a1', 'a2'])
      assert.deepEqual(readNames((await store.list({ user: 'bob' })).sessions), ['b1'])
      assert.deepEqual((await store.list({ user: 'nobody' })).sessions, [])
      assert.deepEqual(readNames((await store.list()).sessions), ['a1', 'a2', 'b1', 'n1'])
    },
  ),
  rule(
    'list-says-what-a-session-is',
    'A user cannot tell which session is which, or gets hold of an id.',
    async ({ open, openOther, clock }) => {
      const store = open({ user: readUser })
      const start = clock.now
      const expires = new Date(clock.now + DAY)
      await save(makeFresh(store, 'the-id', { user: 'ann', name: 'Ada' }, { expires }))
      clock.now += HOUR
      const loaded = await load(store, 'the-id')
      loaded.name = 'Grace'
      await save(loaded)
      const { sessions, next } = await openOther({ user: readUser }).list({ user: 'ann' })
      assert.equal(next, undefined)
      const [found] = sessions
      assert.ok(found && sessions.length === 1)
      const { session, ...rest } = found
      assert.deepEqual(rest, {
        handle: store.handle('the-id'),
        createdAt: start,
        expiresAt: expires.getTime(),
      })
      assert.deepEqual(session.cookie.expires, expires)
      assert.equal((session as unknown as { name: string }).name, 'Grace')
      assert.ok(!JSON.stringify(sessions).includes('the-id'))
    },
  ),
  rule(
    'list-pages-name-every-session-once',
    'Of a user with many sessions some cannot be ended.',
    async ({ open, openOther, clock }) => {
      const store = open({ user: readUser })
      const names = Array.from({ length: 700 }, (_, i) => `id-${i}`)
      const cookie = (i: number) => ({ expires: new Date(clock.now + (i % 7 ? DAY : HOUR)) })
      await Promise.all(
        names.map((name, i) => store.set(name, makePlain({ name, user: i % 2 ? 'ann' : 'bob' }, cookie(i)))),
      )
      await Promise.all(names.filter((_, i) => i % 5 === 0).map((name) => store.destroy(name)))
      clock.now += HOUR
      const left = names.filter((_, i) => i % 5 !== 0 && i % 7 !== 0).sort()
      const ofAnn = left.filter((name) => Number(name.slice(3)) % 2)
      const reader = openOther({ user: readUser })
      for (const limit of [1, 50, 300, 1000]) {
        if (limit > 1) assert.deepEqual(readNames(await listAll(reader, { limit })), left)
        assert.deepEqual(readNames(await listAll(reader, { user: 'ann', limit })), ofAnn)
      }
      const { sessions, next } = await reader.list({ limit: 50 })
      assert.ok(next !== undefined && sessions.length >= 50 && sessions.length < left.length)
      assert.equal(await reader.revokeUser('ann'), ofAnn.length)
      assert.equal(await store.length(), left.length - ofAnn.length)
    },
  ),
  rule(
    'a-number-and-its-text-are-one-user',
    'A user is not found because the database gave a number.',
    async ({ open }) => {
      const store = open({ user: readUser })
      await store.set('a', makePlain({ name: 'a', user: 7 }))
      await store.set('b', makePlain({ name: 'b', user: '7' }))
      await store.set('c', makePlain({ name: 'c', user: '07' }))
      assert.deepEqual(readNames((await store.list({ user: 7 })).sessions), ['a', 'b'])
      assert.deepEqual(readNames((await store.list({ user: '7' })).sessions), ['a', 'b'])
    },
  ),
  rule(
    'a-session-follows-its-user',
    'After the login a session cannot be ended, or after the logout it still is.',
    async ({ open, openOther }) => {
      const store = open({ user: readUser })
      await save(makeFresh(store, 'the-id', { name: 'a' }))
      const become = async (user: string | undefined) => {
        const loaded = await load(store, 'the-id')
        loaded.user = user
        await save(loaded)
      }
      const reader = openOther({ user: readUser })
      await become('ann')
      assert.deepEqual(readNames((await reader.list({ user: 'ann' })).sessions), ['a'])
      await become('bob')
      assert.deepEqual((await reader.list({ user: 'ann' })).sessions, [])
      assert.deepEqual(readNames((await reader.list({ user: 'bob' })).sessions), ['a'])
      await store.touch('the-id', await load(store, 'the-id'))
      await store.touch('the-id', makePlain({ user: 'ann' }))
      assert.deepEqual(readNames((await reader.list({ user: 'bob' })).sessions), ['a'])
      await become(undefined)
      assert.deepEqual((await reader.list({ user: 'bob' })).sessions, [])
      assert.equal(await reader.revokeUser('bob'), 0)
      assert.ok(await store.get('the-id'))
    },
  ),
  rule(
    'a-merged-session-keeps-its-user',
    'A request beside the login makes the session impossible to end.',
    async ({ open, openOther }) => {
      const store = open({ user: readUser })
      await store.set('the-id', makePlain({ name: 'a' }))
      const [mine, theirs] = [
        await load(store, 'the-id'),
        await load(openOther({ user: readUser }), 'the-id'),
      ]
      theirs.user = 'ann'
      await save(theirs)
      mine.cart = 1
      await save(mine)
      assert.deepEqual(readNames((await store.list({ user: 'ann' })).sessions), ['a'])
    },
  ),
  rule(
    'a-session-stays-listed-whoever-touches-it',
    'A session kept alive by a request that did not know its user yet is open for good: nobody can revoke it.',
    async ({ open, openOther, clock }) => {
      const [store, toucher] = [
        open({ user: readUser, idleTimeout: 3 * HOUR }),
        openOther({ user: readUser, idleTimeout: 3 * HOUR }),
      ]
      await store.set('the-id', makePlain({ name: 'the-id', user: 'ann' }))
      for (let i = 0; i < 12; i++) {
        clock.now += HOUR / 2
        await toucher.touch('the-id', makePlain(i % 2 ? {} : { user: 'bob' }))
        await store.set(`another-${i}`, makePlain({ name: 'another', user: 'ann' }))
        await store.prune()
      }
      assert.equal(readNames(await listAll(store, { user: 'ann' })).at(-1), 'the-id')
      assert.deepEqual(await listAll(store, { user: 'bob' }), [])
      assert.ok((await store.revokeUser('ann')) > 1)
      assert.equal(await store.get('the-id'), null)
    },
  ),
  rule(
    'no-user-is-never-everybody',
    'A mistake logs everybody out, or shows their sessions.',
    async ({ open }) => {
      const store = open({ user: readUser })
      await saveUsers(store)
      for (const nobody of [undefined, null, '', Number.NaN, {}, []] as never[]) {
        await assertFails('INVALID_USER', store.list({ user: nobody }))
        await assertFails('INVALID_USER', store.revokeUser(nobody))
        await assertFails('INVALID_USER', store.revoke(store.handle('a1'), { user: nobody }))
      }
      await assertFails('INVALID_ID', store.revokeUser('ann', { except: undefined as never }))
      await assertFails('INVALID_ID', store.revokeUser('ann', { except: '' }))
      assert.equal(await store.length(), 4)
    },
  ),
  rule(
    'no-user-is-asked-for-without-the-option-user',
    'Somebody is told that all sessions of a user have ended, and they live on.',
    async ({ open }) => {
      const store = open()
      await saveUsers(store)
      for (const call of [
        () => store.list({ user: 'ann' }),
        () => store.revokeUser('ann'),
        () => store.revoke(store.handle('a1'), { user: 'ann' }),
        () => store.assignUsers(),
      ])
        await assert.rejects(call, (error) => error instanceof TypeError && /'user'/.test(error.message))
      assert.equal(await store.length(), 4)
    },
  ),
  rule(
    'sessions-from-before-the-option-user-can-be-assigned',
    'A change of password leaves the thief signed in, whose session is older than the option.',
    async ({ open, openOther }) => {
      for (const hashIds of [true, false]) {
        const before = open({ hashIds })
        await before.clear()
        await saveUsers(before)
        const loaded = await load(openOther({ hashIds, user: readUser }), 'a1')
        const store = open({ hashIds, user: readUser })
        assert.deepEqual(await listAll(store, { user: 'ann' }), [])
        assert.equal(await store.assignUsers(), 3)
        assert.equal(await store.assignUsers(), 0)
        assert.deepEqual(readNames(await listAll(store, { user: 'ann' })).sort(), ['a1', 'a2'])
        loaded.late = true
        await save(loaded)
        assert.deepEqual((await read(store, 'a1'))?.late, true)
        assert.equal(await store.revokeUser('ann'), 2)
        assert.equal(await store.length(), 2)
      }
    },
  ),
  rule(
    'bad-queries-are-refused',
    'A mistake in a query is answered with everything, or with nothing.',
    async ({ open }) => {
      const store = open({ user: readUser })
      for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '10' as never])
        await assertFails('INVALID_QUERY', store.list({ limit }))
      for (const after of [{ $gt: '' }, [], null, true, 7] as never[])
        await assertFails('INVALID_QUERY', store.list({ after }))
      for (const freshness of [-1, Number.NaN, Number.POSITIVE_INFINITY, '10', false, null] as never[])
        await assertFails('INVALID_QUERY', store.peek(store.handle('a'), { freshness }))
      for (const handle of ['', 'x', undefined, null, 7, `${store.handle('a')}x`, 'ä'.repeat(43)] as never[])
        await assertFails('INVALID_ID', store.revoke(handle))
    },
  ),
]
