import { startProxy } from '@session-stores/testbed'
import { after } from '@session-stores/testbed/vitest'
import pg from 'pg'
import { expect, it } from 'vitest'
import { connectPgSimple, migrate } from '../../../src/index.ts'
import type { Suite } from '../describe.ts'
import { later, makeSession, openNew, openOld, saveOld } from '../places.ts'

const HOUR = 3_600_000
const withZone = (url: string, zone: string): string =>
  `${url}?options=${encodeURIComponent(`-c TimeZone=${zone}`)}`

/** Opens a pool that is closed after the test. */
function openPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 2000 })
  pool.on('error', () => {})
  after(() => pool.end())
  return pool
}

export const postgresSuite: Suite = (makeSite, format) => {
  if (format !== 'connect-pg-simple-10') return

  it.each(['Asia/Tokyo', 'America/New_York'])('reads the times of a writer in %s', async (zone) => {
    const { place, open } = await makeSite()
    const old = await openOld({ ...place, url: withZone(place.url, zone) })
    after(() => old.close())
    const session = makeSession(30 * HOUR, { user: 'ann' })
    const end = Number(session.cookie.expires)
    for (let i = 0; i < 12; i++) await saveOld(old, `id-${i}`, session)
    const pool = openPool(withZone(place.url, 'UTC'))
    const where = { pool, schemaName: place.namespace }
    const store = await open({
      legacy: { from: connectPgSimple({ ...where, timeZone: zone }), until: later() },
    })
    // Without the option the times are hours away, which the rows themselves show.
    await expect(migrate(store, connectPgSimple(where))).rejects.toMatchObject({
      code: 'BAD_STORAGE',
      message: expect.stringMatching(/12 of 12 sessions.*timeZone/),
    })
    expect(await store.length()).toBe(0)
    const found = await store.get('id-0')
    expect(Math.abs(Number(found?.cookie.expires) - end)).toBeLessThanOrEqual(1000)
    // A column that somebody has given a zone needs no option, and none disturbs.
    await pool.query(
      `ALTER TABLE "${place.namespace}".session ALTER expire TYPE timestamptz USING expire AT TIME ZONE '${zone}'`,
    )
    await migrate(store, connectPgSimple({ ...where, timeZone: 'Pacific/Auckland' }))
    const { sessions } = await store.list()
    expect(sessions).toHaveLength(12)
    for (const { expiresAt } of sessions) expect(Math.abs(expiresAt - end)).toBeLessThanOrEqual(1000)
  })

  it('says so where the table is missing or another one, and reads no other', async () => {
    const { place, open } = await makeSite()
    const pool = openPool(place.url)
    const store = await open()
    await store.ping()
    const wrong = [
      { tableName: 'nothing' },
      { schemaName: 'public', tableName: `new_${place.namespace}x` },
      { tableName: 'pg_class', schemaName: 'pg_catalog' },
    ]
    for (const where of wrong) {
      const from = connectPgSimple({ pool, ...where })
      await expect(migrate(store, from)).rejects.toMatchObject({ code: 'BAD_STORAGE' })
      const reading = await openNew(place, { legacy: { from, until: later() } })
      after(() => reading.close())
      await expect(reading.get('nobody')).rejects.toMatchObject({ code: 'BAD_STORAGE' })
    }
    const same = connectPgSimple({ pool, schemaName: 'public', tableName: `new_${place.namespace}` })
    await expect(openNew(place, { legacy: { from: same, until: later() } })).rejects.toThrow(/another table/)
  })

  it('loses nothing where the old database goes away in the middle', async () => {
    const { place, old, open } = await makeSite()
    const ids = Array.from({ length: 700 }, (_, i) => `id-${i}`)
    await Promise.all(ids.map((id) => saveOld(old, id, makeSession(HOUR, { user: 'ann' }))))
    const proxy = await startProxy(place.url)
    after(() => proxy.stop())
    const from = connectPgSimple({ pool: openPool(proxy.url), schemaName: place.namespace })
    const store = await open({ legacy: { from, until: later() } })
    const broken = migrate(store, from, {
      onProgress() {
        proxy.refuse()
        proxy.cut()
      },
    })
    await expect(broken).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const moved = await store.length()
    expect(moved).toBeGreaterThan(0)
    expect(moved + (await old.reader.count())).toBe(ids.length)
    // Nobody is signed out meanwhile.
    const waiting = (await old.reader.scan({ limit: 1, now: Date.now() })).rows[0]!.id
    await expect(store.get(waiting)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    proxy.accept()
    expect(await store.get(waiting)).toMatchObject({ user: 'ann' })
    expect(await migrate(store, from)).toMatchObject({ moved: ids.length - moved - 1, unreadable: 0 })
    expect((await store.list({ user: 'ann', limit: 1000 })).sessions).toHaveLength(ids.length)
  })
}
