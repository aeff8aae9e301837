import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import type { Context } from '../engine/context.ts'
import type { Data, Rule, StoredSession } from '../engine/rule.ts'
import { holds, ID, README } from './shared.ts'

/** How a store answers. */

type Verb = 'get' | 'set' | 'touch' | 'destroy'
type Callback = (...answer: unknown[]) => void

/** Calls the store as express-session does. */
function call({ store, session }: Context, verb: Verb, callback?: Callback): void {
  const { raw } = store
  if (verb === 'get') raw.get(ID, callback as never)
  else if (verb === 'destroy') raw.destroy(ID, callback)
  else raw[verb]!(ID, session({ name: 'Ada' }), callback as never)
}

/** The answer, as the store gives it. */
const answerOf = (context: Context, verb: Verb): Promise<unknown[]> =>
  new Promise((resolve) => call(context, verb, (...answer) => resolve(answer)))

/** Long enough for a second answer of a call that has one, in milliseconds. */
const SOON = 100

const verbs = ['set', 'get', 'touch', 'destroy'] as const

const once = (verb: Verb): Rule => ({
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

/** No value that JSON holds. */
const unstorable = (name: string, what: string, make: () => object): Rule => ({
  id: `callbacks/${name}-is-an-error`,
  title: `\`set\` of ${what} calls back with an error, and does not throw`,
  level: 'should',
  why: 'express-session has begun its answer by then: what `set` throws leaves the request without an end.',
  source: 'https://github.com/expressjs/session/blob/v1.19.0/index.js#L322',
  async check({ store, session }) {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    store.raw.set(ID, session(make()), resolve)
    assert.ok((await promise) instanceof Error, 'it succeeds')
  },
})

const getter = <T extends object>(object: T, key: string): T =>
  Object.defineProperty(object, key, {
    get() {
      throw new Error(`nobody may look at '${key}'`)
    },
  })

/** A session that some code of the application has made unusable; `after` is called once the store was called with it. */
interface Throwing {
  object: StoredSession
  after?: () => void
}

const throwing: Readonly<Record<string, (session: StoredSession) => Throwing>> = {
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
  'request-that-throws': (session) => ({ object: getter(session, 'req') }),
  // As express-session has it: hidden.
  'request-whose-store-throws': (session) => ({
    object: Object.defineProperty(session, 'req', { value: getter({}, 'sessionStore') }),
  }),
  'cookie-that-throws': (session) => ({ object: getter(session, 'cookie') }),
  'value-that-throws': (session) => ({
    object: Object.assign(session, { value: { toJSON: () => getter<Data>({}, 'inner').inner } }),
  }),
}

export const callbacks: readonly Rule[] = [
  ...verbs.map(once),
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
    title: 'what changes a session calls back without a result of the database',
    level: 'info',
    why: 'Code that hands the callback on takes the result for its own: `save` of one store gives an object, that of another nothing.',
    methods: ['touch'],
    async check(context) {
      for (const verb of ['set', 'touch', 'destroy'] as const) {
        const answer = await answerOf(context, verb)
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
      const [error, found] = await answerOf(context, 'get')
      assert.ok(!error || (error as { code?: unknown }).code === 'ENOENT', `fails: ${error}`)
      assert.ok(found === null || found === undefined, `gives ${typeof found}`)
    },
  },
  unstorable('a-bigint', 'a BigInt', () => ({ amount: 10n })),
  unstorable('a-circle', 'an object that holds itself', () => {
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
      for (const [what, make] of Object.entries(throwing))
        for (const verb of ['set', 'touch'] as const) {
          const id = `${verb}-of-${what}`
          await store.set(id, session({ name: 'Ada' }))
          // So that the call has to wait, in a store where the calls of one session do.
          const beside = [store.set(id, session({ name: 'Ada' })), store.set('another', session({ id }))]
          trace.add(`store.${verb}(${JSON.stringify(id)}, …)`)
          // Not by the store that is traced, which would look at the object.
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
          holds(await store.data('another'), { id })
          holds(await store.data('a-third'), { id })
          await store.touch(id, session())
          await store.set(id, session({ name: 'Bob' }))
          holds(await store.data(id), { name: 'Bob' })
          await store.destroy(id)
          assert.equal(await store.data(id), undefined)
        }
    },
  },
]
