import { expect, it } from 'vitest'
import { migrate } from '../../../src/index.ts'
import type { Suite } from '../describe.ts'
import { makeSession, readOld, saveOld, takeOver } from '../places.ts'

const HOUR = 3_600_000
const data = { user: 'ann', more: { nested: ['ä', 1, null, true] } }

export const moveSuite: Suite = (makeSite) => {
  it('moves a session in at its first request, with its deadline', async () => {
    const { old, open } = await makeSite()
    const session = makeSession(HOUR, data)
    await saveOld(old, 'one', session)
    const store = await open(takeOver(old))
    const end = Number(session.cookie.expires)
    const found = await store.get('one')
    expect(found).toMatchObject(data)
    expect(Math.abs(Number(found?.cookie.expires) - end)).toBeLessThanOrEqual(1000)
    expect(await readOld(old, 'one')).toBeNull()
    const { sessions } = await store.list({ user: 'ann' })
    expect(sessions.map(({ session }) => session)).toEqual([found])
    expect(Math.abs(sessions[0]!.expiresAt - end)).toBeLessThanOrEqual(1000)
  })

  it('moves sessions in by command, once', async () => {
    const { old, open } = await makeSite()
    const count = 12
    const ids = Array.from({ length: count }, (_, i) => `id-${i}`)
    await Promise.all(
      ids.map((id, i) => saveOld(old, id, makeSession(i % 2 ? HOUR : null, { ...data, more: i }))),
    )
    const store = await open()
    expect(await migrate(store, old.reader, { dryRun: true })).toMatchObject({ moved: count })
    expect(await store.length()).toBe(0)
    expect(await migrate(store, old.reader)).toEqual({
      moved: count,
      present: 0,
      ended: 0,
      expired: 0,
      unreadable: 0,
    })
    expect(await migrate(store, old.reader)).toMatchObject({ moved: 0, present: 0 })
    for (const [i, id] of ids.entries()) expect(await store.get(id)).toMatchObject({ user: 'ann', more: i })
    expect((await store.list({ user: 'ann' })).sessions).toHaveLength(count)
  })
}
