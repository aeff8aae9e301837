import { mongoProcess } from '@session-stores/testbed'
import { HOUR } from '@session-stores/testbed/rows'
import { describeWith } from '@session-stores/testbed/vitest'
import type { Collection, Db, Document } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { NOW, openerFor, session } from './support/servers.ts'

const namesOf = (indexes: Document[]) => indexes.map(({ name }) => name)
const INDEXES = ['_id_', 'purgeAt_1', 'user_1__id_1']

const drops: [name: string, drop: (db: Db, documents: Collection<never>) => Promise<unknown>][] = [
  ['collection', (_, documents) => documents.drop()],
  ['database', (db) => db.dropDatabase()],
  ['indexes', (_, documents) => documents.dropIndexes()],
]

describeWith('after a drop', mongoProcess, (server) => {
  const open = openerFor(server)

  describe.each(drops)('of the %s', (_, drop) => {
    it("the list of a user's sessions makes the indexes again", async () => {
      const { client, driver, database, documents } = await open()
      await drop(client.db(database), documents as never)
      expect(await driver.write([session('a', { user: 'u' }), session('b')], NOW)).toEqual(['a', 'b'])
      const lists = [driver.list({ user: 'u', limit: 9 }), driver.list({ user: 'u', limit: 1 })]
      for (const page of await Promise.all(lists)) expect(page).toEqual({ keys: ['a'] })
      expect(namesOf(await documents.indexes())).toEqual(INDEXES)
    })

    it('lists at the same time find the indexes that one of them makes', async () => {
      const { client, driver, database, documents } = await open()
      for (let round = 0; round < 60; round++) {
        await drop(client.db(database), documents as never)
        await driver.write([session('a', { user: 'u', createdAt: NOW + round })], NOW)
        const lists = Array.from({ length: 10 }, () => driver.list({ user: 'u', limit: 9 }))
        for (const page of await Promise.all(lists)) expect(page).toEqual({ keys: ['a'] })
      }
    })

    it('the removal of expired sessions makes the indexes again', async () => {
      const { client, driver, database, documents } = await open()
      await drop(client.db(database), documents as never)
      await driver.write([session('a'), session('over', { expiresAt: NOW - 9 * HOUR })], NOW)
      expect(await driver.prune(NOW, 10)).toBe(1)
      expect(namesOf(await documents.indexes())).toEqual(INDEXES)
    })
  })
})
