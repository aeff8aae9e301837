import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import type { Context } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import type { Data, StoredSession } from '../engine/subject.ts'
import { expectData, ID, README } from './shared.ts'

type Verb = 'get' | 'set' | 'touch' | 'destroy'
type Callback = (...answer: unknown[]) => void

/** Calls the store as express-session does. */
function call({ store, session }: Context, verb: Verb, callback?: Callback): void {
  const { raw } = store
  if (verb === 'get') raw.get(ID, callback as never)
  else if (verb === 'destroy') raw.destroy(ID, callback)
  else raw[verb]!(ID, session({ name: 'Ada' }), callback as never)
}

/** Returns the arguments that the store passes to the callback. */
const collectAnswer = (context: Context, verb: Verb): Promise<unknown[]> =>
  new Promise((resolve) => call(context, verb, (...answer) => resolve(answer)))

/** Milliseconds after which a store has called back a second time, if it does so at all. */
const SOON = 100

const verbs = ['set', 'get', 'touch', 'destroy'] as const

const makeOnceRule = (verb: Verb): Rule => ({
  id: `callbacks/${verb}-calls-back-once`,
  title: `\`${verb}\` calls back exactly once`,
  level: 'must',
  why: 'A request is answered twice, which ends the process, or never.',
  source: README,
  ...(verb === 'touch' && { methods: ['touch'] }),
  async check(context) {
    await context.store.set(ID, context.session({ name: 'Ada' }))
    let answers = 0
    await new Promise<void>((resolve) =>
      call(context, verb, () => {
        answers++
        resolve()
      }),
    )
    await wait(SOON)
    assert.equal(answers, 1)
  },
})

/** Makes a rule about a value that JSON cannot hold. */
const makeUnstorableRule = (name: string, what: string, make: () => object): Rule => ({
  id: `callbacks/${name}-is-an-error`,
  title: `\`set\` of ${what} calls back with an error, and does not throw`,
  level: 'should',
  why: 'express-session has begun its answer by then: what `set` throws leaves the request without an end.',
  source: 'https://github.com/expressjs/session/blob/v1.19.0/index.js#L322',
  async check({ store, session }) {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    store.raw.set(ID, session(make()), resolve)
    assert.ok((await promise) instanceof Error, 'the save succeeds')
  },
})

/** Adds a property that throws when it is read. */
const addThrowingGetter = <T extends object>(object: T, key: string): T =>
  Object.defineProperty(object, key, {
    get() {
      throw new Error(`nobody may look at '${key}'`)
    },
  })

/** A session that throws when the store reads it. */
interface Throwing {
  object: StoredSession
  /** Called after the store was called with the session. */
  after?: () => void
}

const throwingSessions: Readonly<Record<string, (session: StoredSession) => Throwing>> = {
  'revoked-proxy'(session) {
    const { proxy, revoke } = Proxy.revocable(session, {})
    revoke()
    return { object: proxy }
  },
  'proxy-revoked-on-its-way'(session) {
    const { proxy, revoke } = Proxy.revocable(session, {})
    return { object: proxy, after: revoke }
  },
  'prototype-that-throws': (session) => ({
    object: new Proxy(session, {
      getPrototypeOf() {
        throw new Error('nobody may look at the prototype')
      },
    }),
  }),
  'request-that-throws': (session) => ({ object: addThrowingGetter(session, 'req') }),
  // express-session hides the request in the same way: as a property that is not enumerable.
  'request-whose-store-throws': (session) => ({
    object: Object.defineProperty(session, 'req', { value: addThrowingGetter({}, 'sessionStore') }),
  }),
  'cookie-that-throws': (session) => ({ object: addThrowingGetter(session, 'cookie') }),
  'value-that-throws': (session) => ({
    object: Object.assign(session, { value: { toJSON: () => addThrowingGetter<Data>({}, 'inner').inner } }),
  }),
}

/** Rules about how a store answers. */
export const callbacks: readonly Rule[] = [
  ...verbs.map(makeOnceRule),
  {
    id: 'callbacks/asynchronous',
    title: 'no method calls back before it returns',
    level: 'info',
    why: 'Code behind the call runs before the call is over: an order that holds with one store and not with another.',
    source: 'https://blog.izs.me/2013/08/designing-apis-for-asynchrony/',
    methods: ['touch'],
    async check(context) {
      for (const verb of verbs) {
        let returned = false
        await new Promise<void>((resolve, reject) => {
          call(context, verb, () =>
            returned ? resolve() : reject(new Error(`${verb} calls back before it returns`)),
          )
          returned = true
        })
      }
    },
  },
  {
    id: 'callbacks/destroy-needs-none',
    title: '`destroy` works without a callback',
    level: 'should',
    why: '`req.session.destroy()` without a callback ends the process.',
    source: 'https://github.com/expressjs/session#sessiondestroycallback',
    async check(context) {
      const { store, session } = context
      await store.set(ID, session({ name: 'Ada' }))
      call(context, 'destroy')
      for (let tries = 0; tries < 50 && (await store.get(ID)); tries++) await wait(20)
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'callbacks/set-needs-none',
    title: '`set` works without a callback',
    level: 'should',
    why: 'A script that saves a session ends with a TypeError.',
    async check(context) {
      call(context, 'set')
      for (let tries = 0; tries < 50 && !(await context.store.get(ID)); tries++) await wait(20)
      assert.equal((await context.store.data(ID))?.name, 'Ada')
    },
  },
  {
    id: 'callbacks/touch-needs-none',
    title: '`touch` works without a callback',
    level: 'should',
    why: 'A script that keeps a session alive ends with a TypeError.',
    methods: ['touch'],
    async check(context) {
      await context.store.set(ID, context.session({ name: 'Ada' }))
      call(context, 'touch')
      await wait(SOON)
      assert.equal((await context.store.data(ID))?.name, 'Ada')
    },
  },
  {
    id: 'callbacks/nothing-but-an-error',
    title: '`set`, `touch` and `destroy` call back without a result of the database',
    level: 'info',
    why: 'Code that hands the callback on takes the result for its own: `save` of one store gives an object, that of another nothing.',
    methods: ['touch'],
    async check(context) {
      for (const verb of ['set', 'touch', 'destroy'] as const) {
        const answer = await collectAnswer(context, verb)
        assert.deepEqual(
          answer.filter((value) => value !== null && value !== undefined),
          [],
          verb,
        )
      }
    },
  },
  {
    id: 'callbacks/a-miss-is-nothing',
    title: '`get` of a session that is not there calls back with `null` or `undefined`',
    level: 'must',
    why: 'Every first visit is an error page, or begins with a session of nobody.',
    source: README,
    async check(context) {
      const [error, found] = await collectAnswer(context, 'get')
      assert.ok(!error || (error as { code?: unknown }).code === 'ENOENT', `\`get\` fails: ${error}`)
      assert.ok(found === null || found === undefined, `\`get\` returns ${typeof found}`)
    },
  },
  makeUnstorableRule('a-bigint', 'a BigInt', () => ({ amount: 10n })),
  makeUnstorableRule('a-circle', 'an object that holds itself', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    return { circle }
  }),
  {
    id: 'callbacks/an-object-that-throws-fails-alone',
    title: 'an object that throws when somebody looks at it fails its own call, and no other',
    level: 'should',
    why: 'One request with a broken session holds up every later one of its user, or those of others.',
    methods: ['touch'],
    async check({ store, session, backend, trace }) {
      for (const [what, make] of Object.entries(throwingSessions))
        for (const verb of ['set', 'touch'] as const) {
          const id = `${verb}-of-${what}`
          await store.set(id, session({ name: 'Ada' }))
          // A store that queues the calls of one session has to queue the next call behind this
          // one.
          const beside = [store.set(id, session({ name: 'Ada' })), store.set('another', session({ id }))]
          trace.add(`store.${verb}(${JSON.stringify(id)}, …)`)
          // The trace would read the object, so this call goes to the untraced store.
          const [untraced] = backend.stores
          const failed = new Promise<void>((resolve) => {
            try {
              const { object, after } = make(session())
              untraced[verb]!(id, object, () => resolve())
              after?.()
            } catch {
              resolve()
            }
          })
          beside.push(store.set('a-third', session({ id })))
          await Promise.all([...beside, failed])
          expectData(await store.data('another'), { id })
          expectData(await store.data('a-third'), { id })
          await store.touch(id, session())
          await store.set(id, session({ name: 'Bob' }))
          expectData(await store.data(id), { name: 'Bob' })
          await store.destroy(id)
          assert.equal(await store.data(id), undefined)
        }
    },
  },
]
