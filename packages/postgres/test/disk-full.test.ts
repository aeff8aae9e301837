import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { canMount, mountDisk, postgresServers, unprivileged } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { PostgresStore } from '../src/index.ts'
import { toolsFor } from './support/servers.ts'

/** Returns a session of about half a megabyte that does not compress. */
const largeSession = () => ({
  cookie: { originalMaxAge: null, path: '/' },
  text: randomBytes(256 * 1024).toString('hex'),
})

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('a disk that is full', start, (server) => {
    const { pool } = toolsFor(server)

    it('loses no acknowledged save, and takes saves when there is room again', async ({ skip }) => {
      if (!canMount()) skip('no small disk can be mounted here')
      const folder = join(server.folder, 'small')
      mkdirSync(folder)
      const disk = mountDisk(folder, '16m', unprivileged(folder).uid)
      after(() => disk.unmount())
      await pool.query(`CREATE TABLESPACE small LOCATION '${folder}'`)
      const url = `${server.url}?options=${encodeURIComponent('-c default_tablespace=small')}`
      const store = new PostgresStore({ url, table: 'crowded', pruneInterval: false })
      after(async () => {
        await store.close()
        await pool.query('DROP TABLE crowded')
        await pool.query('DROP TABLESPACE small')
      })

      const acknowledged: string[] = []
      const fill = async () => {
        for (let i = 0; i < 200; i++) {
          await store.set(`id-${i}`, largeSession())
          acknowledged.push(`id-${i}`)
        }
      }
      await expect(fill()).rejects.toMatchObject({ code: 'STORAGE_FULL', cause: { code: '53100' } })
      expect(acknowledged.length).toBeGreaterThan(5)
      for (const id of acknowledged) expect(await store.get(id)).not.toBe(null)

      disk.resize('200m')
      await store.set('after', largeSession())
      for (const id of [...acknowledged, 'after']) expect(await store.get(id)).not.toBe(null)
    })
  })
})
