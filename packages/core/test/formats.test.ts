import assert from 'node:assert/strict'
import type { SessionData } from 'express-session'
import { describe, it } from 'vitest'
import {
  compressSessions,
  FORMATS,
  type Format,
  isSchemaOlder,
  memoryDriver,
  SessionStore,
  type StoreOptions,
} from '../src/index.ts'

const NOW = 1_700_000_000_000
const seal = { keys: ['wU7Jv0ZrQm4Tn2bXc8Kd5Lh1Ys9Gf3Ea6Pq0Ri7OtDk'] }
const KEY = 'pWFFJwzms769HdAStzlIZ33WGNSWSIvGCKPLQ841R90'
const row = {
  key: KEY,
  tag: 'f6_Pn5RvdyAH.0',
  user: 'GdAZGkoHV5U4-Bo_P4T8RXVg6v41k9GhLO8jXpn4Fts',
  createdAt: NOW,
  expiresAt: NOW + 86_400_000,
}
const session = { cookie: { originalMaxAge: null, path: '/' }, name: 'Übung' } as unknown as SessionData

/** Format 1 as it was released. Every version must read it: add others, and never change these. */
const released: Record<string, { data: string; options?: StoreOptions; more?: object }> = {
  'plain text': { data: '{"cookie":{"originalMaxAge":null,"path":"/"},"name":"Übung"}' },
  'a seal': {
    data:
      'sealed:2:1mjx6bpi-cDt4Q7Na9K-zsIPoEERXvhKa3a56LBWtnRrwpawsASVk7_m1ysSSLfPO9YqjcaJaHoYg0ri127pxwNARGpYKqOdYhP8' +
      'o0Z4yNen2SQsyX4EnBXos0xw',
    options: { seal },
  },
  compression: {
    data:
      'zstd:1:KLUv_WAPAFUCAIJEEBmwN2MMKyTecIf62oq12U3EQhdAAdvRmFAF7xxfTdfms2xQlnE9cjdvYLxYiWxSYovrCVoKKRcdlKgdrshQ' +
      'itgFAQAGkQJR',
    options: { serializer: compressSessions({ threshold: 1 }) },
    more: { text: 'a'.repeat(200) },
  },
}

function open(options: StoreOptions = {}, formats?: readonly Format[]) {
  const driver = memoryDriver()
  const store = new SessionStore(driver, { now: () => NOW, pruneInterval: false, ...options }, formats)
  const put = (data: string) => driver.write([{ ...row, data, expect: '' }], NOW)
  const stored = async (): Promise<string | null> => (await driver.read([KEY]))[0]!.data
  return { store, put, stored }
}

describe('format 1', () => {
  for (const [name, { data, options, more }] of Object.entries(released))
    it(`with ${name} is read, as long as there are stores`, async () => {
      const { store, put } = open(options)
      await put(data)
      assert.deepEqual(await store.get('id'), { ...session, ...more })
      assert.equal(store.handle('id'), KEY)
    })

  it('takes no mark', async () => {
    const { store, stored } = open()
    await store.set('id', session)
    assert.equal(await stored(), released['plain text']!.data)
  })

  it('is the newest one, until another is released', () => {
    assert.equal(FORMATS.length, 1)
    assert.equal(FORMATS[0]!.encode('text'), 'text')
    assert.equal(FORMATS[0]!.decode('text'), 'text')
  })
})

describe('the option formatVersion', () => {
  const reversed: Format = {
    encode: (text) => [...text].reverse().join(''),
    decode: (encoded) => [...encoded].reverse().join(''),
  }
  const formats = [...FORMATS, reversed, reversed]

  it('writes the format before the newest, until it is set', async () => {
    for (const [formatVersion, begin] of [
      [undefined, 'format:2:}'],
      [2, 'format:2:}'],
      [3, 'format:3:}'],
    ] as const) {
      const { store, stored } = open(formatVersion && { formatVersion }, formats)
      await store.set('id', session)
      assert.ok((await stored())!.startsWith(begin), `is ${begin}`)
      assert.deepEqual(await store.get('id'), session)
    }
  })

  it('takes the last two formats alone', () => {
    for (const formatVersion of [1, 4])
      assert.throws(
        () => open({ formatVersion }, formats),
        new TypeError(
          "option 'formatVersion' takes 2 or 3, because this version of the packages writes no other format",
        ),
      )
    assert.throws(() => open({ formatVersion: 2 }), /option 'formatVersion' takes 1, because/)
    assert.doesNotThrow(() => open({ formatVersion: 1 }))
  })

  it('reads every older format', async () => {
    for (const data of [
      released['plain text']!.data,
      `format:2:${reversed.encode(released['plain text']!.data)}`,
    ]) {
      const { store, put } = open({}, formats)
      await put(data)
      assert.deepEqual(await store.get('id'), session)
    }
  })
})

describe('a session', () => {
  const failing = async (data: string, options?: StoreOptions): Promise<Error & { code: string }> => {
    const { store, put } = open(options)
    await put(data)
    return store.get('id').then(
      () => assert.fail('is read'),
      (error) => error,
    )
  }

  it('of a newer format says what to do', async () => {
    const { code, message } = await failing('format:2:secret')
    assert.equal(code, 'FORMAT_TOO_NEW')
    assert.equal(
      message,
      'the session is stored in format 2, and this process reads formats up to 1: upgrade its packages, or set the ' +
        "option 'formatVersion' of the newer processes to a format that all processes read",
    )
  })

  it('of a newer compression is not broken', async () => {
    const serializer = compressSessions()
    assert.equal((await failing('zstd:2:secret', { serializer })).code, 'FORMAT_TOO_NEW')
    const { store, stored } = open({
      serializer: compressSessions({ serializer: textSerializer('zstd:9:x') }),
    })
    await store.set('id', session)
    assert.match((await stored())!, /^zstd:1:/)
    assert.deepEqual(await store.get('id'), session)
  })

  it.each(['format:', 'format:x:{}', 'format:1:{}', 'format:0:{}', 'format:-1:{}', 'format:9999999999:{}'])(
    'that begins with %s is broken',
    async (data) => {
      const { code, message } = await failing(`${data}secret`)
      assert.equal(code, 'CORRUPT')
      assert.ok(!message.includes('secret'))
    },
  )

  it('whose format cannot be decoded is broken', async () => {
    const failingFormat: Format = {
      encode: (text) => text,
      decode() {
        throw new Error('secret')
      },
    }
    const { store, put } = open({}, [...FORMATS, failingFormat])
    await put('format:2:x')
    await assert.rejects(store.get('id'), (error: Error & { code: string }) => {
      return error.code === 'CORRUPT' && !error.message.includes('secret')
    })
  })
})

it('a schema is used, brought up to date, or refused', () => {
  const schema = { minimum: 2, steps: ['two', 'three'] }
  assert.equal(isSchemaOlder({ version: 1, minimum: 1 }, schema, 'the table'), true)
  assert.equal(isSchemaOlder({ version: 3, minimum: 2 }, schema, 'the table'), false)
  assert.equal(isSchemaOlder({ version: 7, minimum: 3 }, schema, 'the table'), false)
  assert.throws(() => isSchemaOlder({ version: 7, minimum: 4 }, schema, 'the table'), {
    code: 'SCHEMA_TOO_NEW',
    message:
      'the table has schema 7, which needs a package that knows schema 4, and this one knows schemas up to 3: ' +
      'upgrade the package of this process',
  })
})

/** Returns a serializer that writes this text for every session. */
function textSerializer(text: string) {
  return {
    stringify: () => text,
    parse(given: string) {
      assert.equal(given, text)
      return session
    },
  }
}
