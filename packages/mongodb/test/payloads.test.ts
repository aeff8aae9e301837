import { mongoProcess, mongoReplicaSet } from '@session-stores/testbed'
import { keysOf } from '@session-stores/testbed/rows'
import { describeWith } from '@session-stores/testbed/vitest'
import { expect, it } from 'vitest'
import { driverOf, NOW, newName, openerFor, readOne, rowOf, session } from './support/servers.ts'

describeWith('payloads', mongoProcess, (server) => {
  const open = openerFor(server)

  it('of nearly 16 MiB are stored and read, alone and together', async () => {
    const { client, driver } = await open()
    const keys = keysOf(5)
    const rows = keys.map((key, i) => session(key, { data: String(i).repeat(16_000_000) }))
    expect(await driver.write(rows, NOW)).toEqual(keys)
    expect((await driver.read([...keys, 'missing'])).map(({ data }) => data?.slice(0, 3))).toEqual([
      '000',
      '111',
      '222',
      '333',
      '444',
    ])
    const updates = rows.map((row) => ({ ...row, expect: 'tag', tag: 'next', data: row.data!.slice(1) }))
    expect(await driver.write(updates, NOW)).toEqual(keys)
    expect((await readOne(driver, keys[4]!))?.data).toHaveLength(15_999_999)
    const { metrics } = await client.db('admin').command({ serverStatus: 1 })
    expect(Number(metrics.cursor.open.total), 'cursors left open').toBe(0)
  })

  it.each(['', 'tag'])('of more are refused, and the stored one stays (expect: %j)', async (expected) => {
    const { driver } = await open()
    await driver.write([session('a')], NOW)
    const large = [
      'x'.repeat(16 * 1024 * 1024),
      'é'.repeat(8 * 1024 * 1024),
      '\ud800'.repeat(8 * 1024 * 1024),
    ]
    for (const data of large)
      await expect(driver.write([session('a', { data, expect: expected })], NOW)).rejects.toMatchObject({
        code: 'PAYLOAD_TOO_LARGE',
      })
    expect(await readOne(driver, 'a')).toEqual(rowOf(session('a')))
    // This is the largest payload that the driver takes.
    const data = 'x'.repeat(16 * 1024 * 1024 - 4096)
    const key = 'k'.repeat(768)
    for (const [expect_, tag] of [
      ['', 'tag'],
      ['tag', 'next'],
    ])
      expect(
        await driver.write([session(key, { data, expect: expect_, tag, user: 'u'.repeat(43) })], NOW),
      ).toEqual([key])
    expect((await readOne(driver, key))?.data).toHaveLength(data.length)
  })

  it('with half a surrogate are read as they were stored', async () => {
    const { driver } = await open()
    for (const [i, data] of ['a\ud800b', '\udfff', '𝒳\ud83d'].entries()) {
      const row = session(`key-${i}`, { data })
      await driver.write([{ ...row, expect: '' }], NOW)
      expect(await readOne(driver, row.key)).toEqual(rowOf(row))
      await driver.write([{ ...row, expect: 'tag', tag: 'next' }], NOW)
      expect(await readOne(driver, row.key)).toEqual(rowOf({ ...row, tag: 'next' }))
    }
    expect(await driver.count(NOW)).toBe(3)
  })
})

describeWith('a replica set', mongoReplicaSet, (server) => {
  it('takes payloads of nearly 16 MiB', async () => {
    const driver = await driverOf({ url: server.url, collection: newName() })
    const data = 'x'.repeat(16 * 1024 * 1024 - 4096)
    for (const [expect_, tag] of [
      ['', 'tag'],
      ['tag', 'next'],
    ])
      expect(await driver.write([session('a', { data, expect: expect_, tag })], NOW)).toEqual(['a'])
    expect((await readOne(driver, 'a'))?.data).toHaveLength(data.length)
  })
})
