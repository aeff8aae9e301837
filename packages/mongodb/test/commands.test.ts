import { mongoProcess } from '@session-stores/testbed'
import { HOUR, keysOf } from '@session-stores/testbed/rows'
import { describeWith } from '@session-stores/testbed/vitest'
import type { Document, MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { mongoDriver } from '../src/index.ts'
import { clientOf, NOW, newName, openerFor, session, withOption } from './support/servers.ts'

/** Returns the commands that are sent while `work` runs. */
async function recordCommands(client: MongoClient, work: () => unknown): Promise<Document[]> {
  const commands: Document[] = []
  const heard = ({ command }: { command: Document }) => void commands.push(command)
  client.on('commandStarted', heard)
  await work()
  client.off('commandStarted', heard)
  return commands
}

describeWith('commands', mongoProcess, (server) => {
  const open = openerFor(server)

  it('are one for each batch', async () => {
    const { client, driver } = await open({ monitorCommands: true })
    const keys = keysOf(256)
    const created = await recordCommands(client, () =>
      driver.write(
        keys.map((key) => session(key, { expect: '' })),
        NOW,
      ),
    )
    expect(created).toMatchObject([{ update: expect.anything(), ordered: false }])
    const saved = await recordCommands(client, () =>
      driver.write(
        keys.map((key) => session(key, { expect: 'tag', tag: 'next', data: 'x'.repeat(500) })),
        NOW,
      ),
    )
    expect(saved).toMatchObject([{ update: expect.anything(), ordered: false }])
    const read = await recordCommands(client, () => driver.read(keys))
    expect(read).toMatchObject([{ find: expect.anything() }])
    const expiresAt = [NOW + 2 * HOUR, NOW + 3 * HOUR]
    const touched = await recordCommands(client, () =>
      driver.touch(
        keys.map((key, i) => ({
          key,
          user: null,
          tag: i < 3 ? undefined : 'next',
          expiresAt: expiresAt[i % 2]!,
        })),
        NOW,
      ),
    )
    expect(touched).toMatchObject([{ update: expect.anything(), updates: { length: 4 } }])
    const rows = await driver.read(keys)
    expect(rows.map((row) => row.expiresAt)).toEqual(keys.map((_, i) => expiresAt[i % 2]))
  })

  it('find their documents by an index, and a single document without a plan', async () => {
    const { client, driver, database } = await open({ monitorCommands: true })
    await driver.write(
      keysOf(1000).map((key, i) => session(key, { user: i % 2 ? 'somebody' : null })),
      NOW,
    )
    await driver.write([session('over', { expiresAt: NOW - 9 * HOUR })], NOW)
    const key = 'key-000001'
    const touch = (...keys: string[]) =>
      driver.touch(
        keys.map((key) => ({ key, user: null, expiresAt: NOW + HOUR })),
        NOW,
      )
    const commands = await recordCommands(client, async () => {
      await driver.read([key])
      await touch(key)
      for (const expect of ['', 'tag']) await driver.write([session(key, { expect, tag: 'next' })], NOW)
      await driver.write([session(key, { data: null, tag: 'end' })], NOW)
      await driver.write([session(key, { data: null, expect: 'end' })], NOW)
      await driver.read(keysOf(10))
      await touch(...keysOf(10))
      await driver.list({ limit: 10, after: key })
      await driver.list({ user: 'somebody', limit: 10, after: key })
      await driver.prune(NOW + 9 * HOUR, 10)
    })
    const plans: string[] = []
    for (const { lsid, $db, writeConcern, ...command } of commands) {
      const plan = await client.db(database).command({ explain: command })
      plans.push(JSON.stringify(plan.queryPlanner.winningPlan))
    }
    expect(plans).toHaveLength(13)
    for (const plan of plans) expect(plan).not.toMatch(/COLLSCAN|"SORT"/)
    for (const plan of plans.slice(0, 7)) expect(plan).toMatch(/IDHACK/)
    const [ofUser, pruned] = [plans[10], plans[11]]
    expect(ofUser).toMatch('user_1__id_1')
    expect(ofUser).not.toMatch('FETCH')
    expect(pruned).toMatch('purgeAt_1')
  })

  it('wait for the majority, unless the client has another write concern', async () => {
    const { client, database, collection } = await open({ monitorCommands: true })
    const concerns: unknown[] = []
    const heard = ({ commandName, command }: { commandName: string; command: Document }) => {
      if (commandName === 'update') concerns.push(command.writeConcern)
    }
    client.on('commandStarted', heard)
    const lent = clientOf(`${server.url}?w=1&journal=true&wtimeoutMS=50`, { monitorCommands: true })
    lent.on('commandStarted', heard)
    for (const each of [client, lent])
      await mongoDriver({ client: each, database, collection }).touch(
        [{ key: 'a', user: null, expiresAt: NOW }],
        NOW,
      )
    expect(concerns).toEqual([
      { w: 'majority', wtimeout: 4000 },
      { w: 1, j: true, wtimeout: 50 },
    ])
  })
  it('read what the primary has, whatever read concern the client has', async () => {
    // With `majority`, a new primary would show sessions for a moment whose logout was acknowledged.
    const client = clientOf(withOption(server.url, 'readConcernLevel=majority'), { monitorCommands: true })
    const driver = mongoDriver({ client, database: newName() })
    const commands = await recordCommands(client, async () => {
      await driver.read(['a'])
      await driver.list({ limit: 1 })
      await driver.count(NOW)
    })
    expect(commands.map((command) => Object.keys(command)[0])).toEqual(
      expect.arrayContaining(['find', 'aggregate']),
    )
    for (const { readConcern } of commands) expect(readConcern).toBeUndefined()
  })
})
