import assert from 'node:assert/strict'
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, it } from 'vitest'
import { checkOptions, memoryDriver, SessionStore, splitOptions } from '../src/index.ts'

const make = (options: unknown): SessionStore => new SessionStore(memoryDriver(), options as object)

const noNumbers = ['1', null, true, {}, [], Number.NaN, 1n]
const noDurations = [...noNumbers, -1, Number.POSITIVE_INFINITY, 8.64e15 + 2]
const key = randomBytes(32)
const until = new Date(Date.now() + 86_400_000)
const reader = {
  name: 'other-store',
  refuse: () => undefined,
  read: async () => null,
  delete: async () => {},
  scan: async () => ({ rows: [] }),
  count: async () => 0,
  check: async () => {},
}

const wrong: Record<string, unknown[]> = {
  idleTimeout: [...noDurations, 0, 0.5, false],
  absoluteTimeout: [...noDurations, 0.5],
  touchAfter: [...noDurations, 0.5],
  freshness: [...noDurations, 0.5, 86_400_001],
  cacheBytes: [...noNumbers, 0, -1, 0.5, false, Number.POSITIVE_INFINITY],
  tombstoneTimeout: [...noDurations, 0.5],
  pruneInterval: [...noDurations, 0.5, 2 ** 31],
  operationTimeout: [...noDurations, 0, 0.5, false, 2 ** 31],
  maxQueue: [...noNumbers, 0, -1, 0.5, false, Number.POSITIVE_INFINITY],
  maxPayload: [...noNumbers, 0, -1, 0.5, false, Number.POSITIVE_INFINITY],
  hashIds: [0, 1, 'true', null],
  seal: [
    true,
    null,
    'key',
    {},
    { keys: [] },
    { keys: key },
    { keys: 'x'.repeat(43) },
    { keys: [''] },
    { keys: ['short'] },
    { keys: ['x'.repeat(42)] },
    { keys: ['g'.repeat(64)] },
    { keys: [randomBytes(31)] },
    { keys: [randomBytes(33)] },
    { keys: [key, randomBytes(16)] },
    { keys: [createSecretKey(randomBytes(16))] },
    { keys: [generateKeyPairSync('ed25519').publicKey] },
    { keys: [null] },
    // These bytes are certainly not random.
    { keys: [Buffer.alloc(32)] },
    { keys: [Buffer.alloc(32, 'a')] },
    { keys: ['a'.repeat(43)] },
    { keys: ['0123456789abcdef'.repeat(4)] },
    { keys: ['deadbeef'.repeat(8)] },
    { keys: [Buffer.from('correct horse battery staple, ok')] },
    { keys: [Buffer.from(Array.from({ length: 32 }, (_, i) => i))] },
    { keys: [createSecretKey(Buffer.alloc(32, 7))] },
    { keys: [key, Buffer.alloc(32)] },
    { keys: [key], acceptPlain: 1 },
  ],
  serializer: [
    null,
    {},
    { stringify: JSON.stringify },
    { parse: JSON.parse },
    'json',
    { stringify: 1, parse: 2 },
  ],
  formatVersion: [...noNumbers, 0, 0.5, -1, 2],
  user: [null, 'id', {}],
  onConflict: [null, true, 'Merge', 'ignore', ''],
  onGone: [null, false, 'drop', 'merge'],
  legacy: [
    null,
    false,
    {},
    { from: reader },
    { from: {}, until },
    { from: reader, until: '2027' },
    { from: reader, until: new Date('x') },
    { from: reader, until, keep: 1 },
    { from: reader, until, copy: true },
  ],
  now: [null, 0, new Date()],
}

const right: Record<string, unknown[]> = {
  idleTimeout: [1, 8.64e15, undefined],
  absoluteTimeout: [false, 0, 1, undefined],
  touchAfter: [false, 0, 1, undefined],
  freshness: [false, 0, 1, 86_400_000, undefined],
  cacheBytes: [1, Number.MAX_SAFE_INTEGER, undefined],
  tombstoneTimeout: [false, 0, 1, undefined],
  pruneInterval: [false, 0, 2 ** 30 - 1, undefined],
  operationTimeout: [1, 2 ** 30 - 1, undefined],
  maxQueue: [1, Number.MAX_SAFE_INTEGER, undefined],
  maxPayload: [1, Number.MAX_SAFE_INTEGER, undefined],
  hashIds: [true, false, undefined],
  seal: [
    false,
    { keys: [key] },
    { keys: [key.toString('hex'), key.toString('base64'), createSecretKey(key)] },
    undefined,
  ],
  serializer: [JSON, undefined],
  formatVersion: [1, undefined],
  user: [() => 'ann', undefined],
  onConflict: ['merge', 'overwrite', 'error', undefined],
  onGone: ['ignore', 'error', undefined],
  legacy: [{ from: reader, until }, { from: reader, until, keep: true }, undefined],
  now: [Date.now, undefined],
}

describe.each(Object.keys(wrong))('option %s', (name) => {
  it('is checked at construction, by name', () => {
    for (const value of wrong[name]!)
      assert.throws(
        () => make({ [name]: value }),
        (error: Error) => error instanceof TypeError && error.message.startsWith(`option '${name}' takes `),
        `${name}: ${String(value)}`,
      )
  })

  it('takes what its message says', async () => {
    for (const value of right[name]!) await make({ [name]: value }).close()
  })
})

describe('the options', () => {
  it('are all tested', () => {
    assert.throws(() => make({ xyz: 1 }), {
      name: 'TypeError',
      message: `unknown option 'xyz'; the options are ${Object.keys(wrong).join(', ')}`,
    })
    assert.deepEqual(Object.keys(right), Object.keys(wrong))
  })

  it('must be an object with known names', () => {
    for (const options of [null, 'x', 7]) assert.throws(() => make(options), TypeError)
    for (const name of ['__proto__', 'constructor', 'toString', 'IdleTimeout'])
      assert.throws(() => make(JSON.parse(`{"${name}":1}`)), {
        name: 'TypeError',
        message: new RegExp(`'${name}'`),
      })
    make(undefined)
    make({})
  })

  it('accept every random key', () => {
    for (let i = 0; i < 10_000; i++) make({ seal: { keys: [randomBytes(32)] } })
  })

  it('never appear in a message', () => {
    const secret = 'geheim'.repeat(7)
    assert.throws(
      () => make({ seal: { keys: [secret] } }),
      ({ message }: Error) => !message.includes('geheim'),
    )
  })
})

describe('the option user', () => {
  it('is named where it throws, as it does for a session of nobody', async () => {
    const store = make({ user: (session: { user: { id: string } }) => session.user.id })
    await assert.rejects(store.set('an-id', { cookie: { originalMaxAge: null } } as never), {
      code: 'INVALID_SESSION',
      message:
        "the option 'user' threw; it is also called for sessions that belong to nobody: write session.user?.id, for example",
    })
    await store.close()
  })
})

describe("a driver's options", () => {
  const own = { path: ['a path', (value: unknown) => typeof value === 'string'] } as const

  it("are separated from the store's", () => {
    const options = { path: 'x', idleTimeout: 5, hashIds: false }
    assert.deepEqual(splitOptions<{ path?: string }>(options, own), [
      { path: 'x' },
      { idleTimeout: 5, hashIds: false },
    ])
    assert.deepEqual(splitOptions<{ path?: string }>({}, own), [{}, {}])
  })

  it("are checked together with the store's", () => {
    assert.throws(() => splitOptions({ path: 7 } as never, own), {
      name: 'TypeError',
      message: "option 'path' takes a path",
    })
    assert.throws(
      () => splitOptions({ path: 'x', idleTimeout: 0 } as never, own),
      /option 'idleTimeout' takes/,
    )
    assert.throws(
      () => splitOptions({ pth: 'x' } as never, own),
      /unknown option 'pth': did you mean 'path'\? The options are path, idleTimeout/,
    )
    assert.throws(
      () => checkOptions({ idleTimeout: 1 }, own),
      /unknown option 'idleTimeout'; the options are path$/,
    )
    assert.throws(() => checkOptions(null as never, own), TypeError)
    checkOptions({ path: undefined }, own)
  })
})
