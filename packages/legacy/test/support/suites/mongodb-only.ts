import { after } from '@session-stores/testbed/vitest'
import { MongoClient } from 'mongodb'
import { expect, it, vi } from 'vitest'
import { connectMongo, migrate } from '../../../src/index.ts'
import type { Suite } from '../describe.ts'
import { later, makeSession, openNew, saveOld } from '../places.ts'

const HOUR = 3_600_000

export const mongoSuite: Suite = (makeSite, format) => {
  if (format === 'connect-mongo-4-kruptein')
    it('opens nothing with another secret, and loses nothing', async () => {
      vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      const { place, old, open } = await makeSite()
      for (let i = 0; i < 10; i++) await saveOld(old, `id-${i}`, makeSession(HOUR, { user: 'ann' }))
      const client = await new MongoClient(place.url).connect()
      after(() => client.close())
      const where = { client, dbName: 'legacy', collectionName: `old_${place.namespace}` }
      const wrong = connectMongo({ ...where, crypto: { secret: 'another secret' } })
      const store = await open({ legacy: { from: wrong, until: later() } })
      expect(await store.get('id-0')).toBeNull()
      await expect(migrate(store, wrong)).rejects.toMatchObject({ code: 'SEAL_BROKEN' })
      await expect(migrate(store, connectMongo(where))).rejects.toMatchObject({ code: 'BAD_STORAGE' })
      expect(await migrate(store, old.reader)).toMatchObject({ moved: 10 })
      vi.restoreAllMocks()
    })

  if (format === 'connect-mongo-6')
    it('moves sessions whose ids were transformed at their requests only', async () => {
      const { place, old, open } = await makeSite()
      await saveOld(old, 'of-one', makeSession(HOUR, { user: 'ann' }))
      const client = await new MongoClient(place.url).connect()
      after(() => client.close())
      const where = { client, dbName: 'legacy', collectionName: `old_${place.namespace}` }
      const from = connectMongo({ ...where, transformId: (id) => `of-${id}` })
      const store = await open({ legacy: { from, until: later() } })
      await expect(migrate(store, from)).rejects.toMatchObject({ code: 'BAD_STORAGE' })
      expect(await store.get('one')).toMatchObject({ user: 'ann' })
      await store.destroy('one')
      expect(await old.reader.count()).toBe(0)
      const missing = connectMongo({ ...where, collectionName: 'nothing' })
      await expect(migrate(store, missing)).rejects.toMatchObject({ code: 'BAD_STORAGE' })
      const same = connectMongo({ ...where, collectionName: `new_${place.namespace}` })
      await expect(openNew(place, { legacy: { from: same, until: later() } })).rejects.toThrow(
        /another collection/,
      )
    })
}
