import assert from 'node:assert/strict'
import zlib from 'node:zlib'
import type { SessionData } from 'express-session'
import { describe, it, vi } from 'vitest'
import { compressSessions, memoryDriver, type Serializer, SessionStore } from '../src/index.ts'
import { ID, plain } from './support/faulty.ts'

const items = Array.from({ length: 60 }, (_, index) => ({
  sku: `ab12-${index}`,
  title: 'Article',
  quantity: 2,
}))
const large = (): SessionData => plain({ name: 'Ada', items }) as SessionData
const seal = { keys: ['wU7Jv0ZrQm4Tn2bXc8Kd5Lh1Ys9Gf3Ea6Pq0Ri7OtDk'] }

/** Opens a store whose rows can be read as the database holds them. */
function open(options: ConstructorParameters<typeof SessionStore>[1] = {}) {
  const driver = memoryDriver()
  const store = new SessionStore(driver, { hashIds: false, ...options })
  const stored = async (): Promise<string> => {
    const [row] = await driver.read([ID])
    return row!.data!
  }
  return { store, stored, driver }
}

describe('compressed sessions', () => {
  it('come back as they were saved, and take up less', async () => {
    const { store, stored } = open({ serializer: compressSessions() })
    await store.set(ID, large())
    assert.deepEqual(await store.get(ID), large())
    const data = await stored()
    assert.match(data, /^zstd:1:[\w-]+$/)
    assert.ok(data.length < JSON.stringify(large()).length / 3, `${data.length}`)
  })

  it('are compressed before they are sealed', async () => {
    const [sealed, both] = [open({ seal }), open({ seal, serializer: compressSessions() })]
    for (const { store } of [sealed, both]) {
      await store.set(ID, large())
      assert.deepEqual(await store.get(ID), large())
    }
    const [alone, compressed] = [await sealed.stored(), await both.stored()]
    assert.match(compressed, /^sealed:2:/)
    assert.ok(compressed.length < alone.length / 3)
  })

  it('stay as they are below the threshold, and where compression saves nothing', () => {
    const serializer = compressSessions({ threshold: 300 })
    const short = plain({ name: 'Ada' }) as SessionData
    assert.equal(serializer.stringify(short), JSON.stringify(short))
    const dense = compressSessions({ threshold: 0 })
    assert.equal(dense.stringify(short), JSON.stringify(short))
  })

  it('are read beside those from before there was compression', async () => {
    const { store, driver } = open()
    await store.set(ID, large())
    const again = new SessionStore(driver, { hashIds: false, serializer: compressSessions() })
    assert.deepEqual(await again.get(ID), large())
  })

  it('may come from a serializer that writes texts that look compressed, or promises', async () => {
    const odd: Serializer = {
      stringify: async (session) => `zstd:1:${JSON.stringify(session)}`,
      parse: async (text) => JSON.parse(text.slice('zstd:1:'.length)),
    }
    const { store } = open({ serializer: compressSessions({ serializer: odd, threshold: 1e6 }) })
    await store.set(ID, plain({ name: 'Ada' }))
    assert.deepEqual(await store.get(ID), plain({ name: 'Ada' }))
  })
})

describe('a store with compression', () => {
  const limited = () => compressSessions({ maxText: 100_000 })

  it('does not decompress more than maxText', async () => {
    const bomb = JSON.stringify(plain({ name: ' '.repeat(5_000_000) }))
    const data = `zstd:1:${zlib.zstdCompressSync(bomb).toString('base64url')}`
    assert.ok(data.length < 20_000, `${data.length}`)
    // The same text is read where it is allowed, so the limit is what refuses it.
    assert.ok(compressSessions({ maxText: 6_000_000 }).parse(data))
    assert.throws(() => limited().parse(data), { code: 'ERR_BUFFER_TOO_LARGE' })
  })

  it('answers CORRUPT for texts that it cannot decompress', async () => {
    const planted: Serializer = { stringify: () => 'zstd:1:AAAA', parse: () => large() }
    const { store, driver } = open({ serializer: planted })
    await store.set(ID, large())
    const reader = new SessionStore(driver, { hashIds: false, serializer: limited() })
    await assert.rejects(reader.get(ID), { code: 'CORRUPT' })
  })

  it('refuses to save what it could not read again', async () => {
    const { store } = open({ serializer: limited() })
    await assert.rejects(store.set(ID, plain({ name: ' '.repeat(200_000) })), { code: 'PAYLOAD_TOO_LARGE' })
    assert.equal(await store.get(ID), null)
  })
})

describe('compressSessions', () => {
  for (const options of [{ threshold: -1 }, { level: 20 }, { maxText: 0 }, { serializer: {} }, { levle: 3 }])
    it(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(() => compressSessions(options as object), TypeError)
    })

  it('says which Node.js it needs', () => {
    const zstd = vi.spyOn(zlib, 'zstdCompressSync')
    try {
      Object.assign(zlib, { zstdCompressSync: undefined })
      assert.throws(() => compressSessions(), /needs Node\.js 22\.15 or later, .*this is v/)
    } finally {
      zstd.mockRestore()
    }
  })
})
