import assert from 'node:assert/strict'
import { events, type SessionEvent } from '@session-stores/core'
import { MINUTE } from '../common.ts'
import {
  assertFails,
  prefixRules,
  recordErrors,
  recordMessages,
  type StoreRule,
  type Stores,
  settle,
} from './fixture.ts'
import { ID, load, makePlain, read, save } from './sessions.ts'

/** Rules about sessions that cannot be saved, rows that cannot be read, and other serializers. */

const rule = prefixRules('policy/input')

const looped: Record<string, unknown> = { secret: 'geheim' }
looped.self = looped

const unsavable: Record<string, object> = {
  'a-BigInt': { secret: 'geheim', count: 1n },
  'a-cycle': { looped },
  'a-toJSON-that-throws': {
    toJSON() {
      throw new Error('geheim')
    },
  },
  'a-getter-that-throws': {
    get name() {
      throw new Error('geheim')
    },
  },
  'a-toJSON-that-gives-nothing': { toJSON: () => undefined },
}

const noSessions: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  'a-string': 'geheim',
  'a-number': 7,
  'an-object-without-a-cookie': { name: 'geheim' },
  'an-object-with-a-null-cookie': { cookie: null },
  'an-object-with-a-text-as-cookie': { cookie: 'geheim' },
}

/** Replaces the payload of the session, as a defect of the database or another program would. */
async function corrupt({ open, drivers: [driver] }: Stores, data: string): Promise<void> {
  const [row] = await driver.read([open().handle(ID)])
  assert.ok(row, 'the row is there')
  assert.deepEqual(
    await driver.write([{ ...row, data, tag: `${row.tag}x`, expect: row.tag }], row.createdAt),
    [row.key],
  )
}

const garbage: Record<string, string> = {
  'an-empty-text': '',
  'half-a-session': '{"cookie":{"path":"/"},"secret":"geh',
  'no-JSON': 'geheim',
  'a-number': '7',
  null: 'null',
  'a-session-without-a-cookie': '{"secret":"geheim"}',
  'a-session-with-a-null-cookie': '{"cookie":null,"secret":"geheim"}',
}

export const input: StoreRule[] = [
  ...Object.entries(unsavable).map(([name, bad]) =>
    rule(
      `${name}-is-refused`,
      'A session that cannot be saved hangs the request, or wipes what was there.',
      async ({ open, openOther }) => {
        const store = open()
        await store.set(ID, makePlain({ name: 'Ada' }))
        const bare = Object.defineProperties(makePlain(), Object.getOwnPropertyDescriptors(bad))
        await assertFails('NOT_SERIALIZABLE', store.set(ID, bare), ID, 'geheim')
        assert.deepEqual(await read(openOther(), ID), { name: 'Ada' })
        await store.set(ID, makePlain({ name: 'Grace' }))
        assert.deepEqual(await read(openOther(), ID), { name: 'Grace' })
      },
    ),
  ),
  ...Object.entries(noSessions).map(([name, bad]) =>
    rule(
      `${name}-is-no-session`,
      'A mistake in the application hangs the request, or wipes what was there.',
      async ({ open }) => {
        const store = open()
        await store.set(ID, makePlain({ name: 'Ada' }))
        await assertFails('INVALID_SESSION', store.set(ID, bad as never), ID, 'geheim')
        await assertFails('INVALID_SESSION', store.touch(ID, bad as never), ID, 'geheim')
        assert.deepEqual(await read(store, ID), { name: 'Ada' })
      },
    ),
  ),
  ...Object.entries(garbage).map(([name, text]) =>
    rule(
      `a-row-with-${name}-is-an-error`,
      'A row that cannot be read is taken for a logout and overwritten, ends the process, or hides all other sessions.',
      async (stores) => {
        const store = stores.open()
        await store.set(ID, makePlain({ name: 'Ada' }))
        await store.set('another', makePlain({ name: 'Grace' }))
        await corrupt(stores, text)
        const error = await assertFails('CORRUPT', store.get(ID), ID, 'geheim')
        assert.equal(error.cause, undefined, 'JSON.parse quotes what it cannot read')
        const heard = await recordMessages<SessionEvent>(events.unreadable, async () => {
          assert.deepEqual(Object.values(await store.all()), [makePlain({ name: 'Grace' })])
          const { sessions } = await store.list()
          assert.deepEqual(
            sessions.map(({ handle }) => handle),
            [store.handle('another')],
          )
        })
        assert.deepEqual(
          heard.map(({ handle, error }) => [handle, (error as { code: string }).code]),
          Array(2).fill([store.handle(ID), 'CORRUPT']),
        )
        // An unreadable session can still be replaced and ended.
        await store.set(ID, makePlain({ name: 'new' }))
        assert.deepEqual(await read(store, ID), { name: 'new' })
        await corrupt(stores, text)
        await store.destroy(ID)
        assert.equal(await store.get(ID), null)
      },
    ),
  ),
  rule(
    'a-save-onto-a-corrupt-row-is-an-error',
    'A save meets a broken row and hangs, or reports success.',
    async (stores) => {
      const store = stores.open()
      await store.set(ID, makePlain({ name: 'Ada' }))
      const loaded = await load(store, ID)
      await corrupt(stores, 'geheim')
      loaded.name = 'Grace'
      await assertFails('CORRUPT', save(loaded), ID, 'geheim')
    },
  ),
  ...[
    '007',
    '1e3',
    '12345678901234567890',
    'true',
    'null',
    '',
    ' ',
    'plain:x',
    'sealed:1:x',
    'plain:sealed:1:x',
    'format:2:x',
    'format:x',
    'sealed:3:x',
    '\u0000',
  ].map((text) =>
    rule(
      `a-serializer-may-write-${JSON.stringify(text).replaceAll('"', '')}`,
      'What another serializer writes is taken for a number, for nothing, or for a sealed session.',
      async ({ open, openOther }) => {
        const session = makePlain({ name: 'Ada' })
        const serializer = {
          stringify: () => text,
          parse(given: string) {
            assert.equal(given, text)
            return session
          },
        }
        await open({ serializer }).set(ID, session)
        assert.deepEqual(await openOther({ serializer }).get(ID), session)
      },
    ),
  ),
  rule(
    'a-serializer-may-be-asynchronous',
    'Sessions of a serializer that waits are lost, or in the wrong order.',
    async ({ open, openOther }) => {
      const serializer = {
        async stringify(session: object) {
          await settle()
          return JSON.stringify(session)
        },
        async parse(text: string) {
          await settle()
          return JSON.parse(text)
        },
      }
      const store = open({ serializer })
      void store.set(ID, makePlain({ turn: 1 }))
      void store.set(ID, makePlain({ turn: 2 }))
      assert.deepEqual(await read(store, ID), { turn: 2 })
      const [mine, theirs] = await Promise.all([load(store, ID), load(openOther({ serializer }), ID)])
      mine.mine = true
      theirs.theirs = true
      await Promise.all([save(mine), save(theirs)])
      assert.deepEqual(await read(store, ID), { turn: 2, mine: true, theirs: true })
      assert.equal(Object.keys(await store.all()).length, 1)
    },
  ),
  rule(
    'a-serializer-that-rejects-in-a-queue-is-an-error',
    'A failure of a save that waits for another one ends the process.',
    async ({ open }) => {
      const store = open({
        serializer: {
          async stringify(session) {
            if ('bad' in session) throw new Error('geheim')
            return JSON.stringify(session)
          },
          parse: JSON.parse,
        },
      })
      const unhandled = await recordErrors('unhandledRejection', async () => {
        const saved = store.set(ID, makePlain({ name: 'Ada' }))
        await assertFails('NOT_SERIALIZABLE', store.set(ID, makePlain({ bad: true })), 'geheim')
        await saved
      })
      assert.deepEqual(unhandled, [])
      assert.deepEqual(await read(store, ID), { name: 'Ada' })
    },
  ),
  ...(['throws', 'rejects', 'returns no string'] as const).map((fault) =>
    rule(
      `a-serializer-that-${fault.replaceAll(' ', '-')}-is-an-error`,
      'A mistake in a serializer hangs the request or ends the process.',
      async ({ open }) => {
        const failure = (): never => {
          throw new Error('geheim')
        }
        const stringify = {
          throws: failure,
          rejects: async () => failure(),
          'returns no string': () => 7 as never,
        }[fault]
        const parse = {
          throws: failure,
          rejects: async () => failure(),
          'returns no string': () => 7 as never,
        }[fault]
        await assertFails(
          'NOT_SERIALIZABLE',
          open({ serializer: { stringify, parse: JSON.parse } }).set(ID, makePlain()),
          'geheim',
        )
        const store = open({ serializer: { stringify: JSON.stringify, parse } })
        // The store does not save a session that it could not read back.
        await assertFails('CORRUPT', store.set(ID, makePlain()), 'geheim')
        assert.equal(await open().get(ID), null)
        await open().set(ID, makePlain())
        await assertFails('CORRUPT', store.get(ID), 'geheim')
        assert.deepEqual(await store.all(), {})
      },
    ),
  ),
  rule(
    'what-a-serializer-reads-may-be-frozen',
    'A serializer that keeps what it read ends the process.',
    async ({ open, clock }) => {
      const serializer = {
        stringify: JSON.stringify,
        parse: (text: string) => JSON.parse(text, (_key, value) => Object.freeze(value)),
      }
      const store = open({ serializer })
      await store.set(ID, makePlain({ name: 'Ada' }))
      await store.set('another', makePlain({}, { expires: new Date(clock.now + MINUTE) }))
      const [found] = await Promise.allSettled([read(store, ID), store.get('another')])
      assert.deepEqual(found, { status: 'fulfilled', value: { name: 'Ada' } })
    },
  ),
  rule(
    'options-that-throw-are-an-error',
    'A mistake in an option hangs the request or ends the process.',
    async ({ open }) => {
      const user = (): never => {
        throw new Error('geheim')
      }
      const store = open({ user })
      await assertFails('INVALID_SESSION', store.set(ID, makePlain()), 'geheim')
      await assertFails('INVALID_USER', open({ user: () => ({}) as never }).set(ID, makePlain()))
      await assertFails('INVALID_USER', open({ user: () => '' }).set(ID, makePlain()))
      await assertFails('INVALID_USER', open({ user: () => Number.NaN }).set(ID, makePlain()))
      assert.equal(await open().get(ID), null)
    },
  ),
]
