import assert from 'node:assert/strict'
import { done, type Handler, withApp } from '@session-stores/conformance/sites'
import type { SessionOptions } from 'express-session'
import { HOUR } from '../common.ts'
import { prefixRules, type StoreRule } from '../policy/fixture.ts'

/**
 * Rules about what a request can do with its session: which calls of the store express-session
 * makes for it, and what the next request finds.
 */

/**
 * One value for an existing session, one for an existing session with `resave: true`, and one for a
 * new session.
 */
type Columns<T> = readonly [existing: T, resaved: T, fresh: T]

interface Case {
  does: string
  handler: Handler
  /** The calls of the store that express-session makes. */
  calls: Columns<string>
  /** The `name` that the next request finds in its session. */
  finds: Columns<string | undefined>
  options?: Partial<SessionOptions>
}

const modify: Handler = (req) => {
  req.session.name = 'Grace'
}
const save: Handler = (req) => done((callback) => req.session.save(callback))
const destroy: Handler = (req) => done((callback) => req.session.destroy(callback))
const regenerate: Handler = (req) => done((callback) => req.session.regenerate(callback))

const chain =
  (...handlers: Handler[]): Handler =>
  async (req, res) => {
    for (const handler of handlers) await handler(req, res)
  }

const KEPT = ['Ada', 'Ada', undefined] as const
const CHANGED = ['Grace', 'Grace', 'Grace'] as const
const GONE = [undefined, undefined, undefined] as const

const cases: Case[] = [
  { does: 'nothing', handler: () => {}, calls: ['get touch', 'get set', ''], finds: KEPT },
  {
    does: 'touch',
    handler: (req) => void req.session.touch(),
    calls: ['get touch', 'get set', ''],
    finds: KEPT,
  },
  { does: 'modify', handler: modify, calls: ['get set', 'get set', 'set'], finds: CHANGED },
  {
    does: 'change-only-max-age',
    handler: (req) => {
      req.session.cookie.maxAge = 2 * HOUR
    },
    calls: ['get touch', 'get set', ''],
    finds: KEPT,
  },
  {
    does: 'modify-and-save',
    handler: chain(modify, save),
    calls: ['get set touch', 'get set touch', 'set'],
    finds: CHANGED,
  },
  // For a new session this leaves a row that no browser has a cookie for.
  {
    does: 'save-unmodified',
    handler: save,
    calls: ['get set touch', 'get set touch', 'set'],
    finds: KEPT,
  },
  {
    does: 'destroy',
    handler: destroy,
    calls: ['get destroy', 'get destroy', 'destroy'],
    finds: GONE,
  },
  {
    does: 'destroy-with-unset-destroy',
    handler: destroy,
    calls: ['get destroy destroy', 'get destroy destroy', 'destroy destroy'],
    finds: GONE,
    options: { unset: 'destroy' },
  },
  {
    does: 'unset-with-unset-destroy',
    handler: (req) => {
      Reflect.deleteProperty(req, 'session')
    },
    calls: ['get destroy', 'get destroy', 'destroy'],
    finds: GONE,
    options: { unset: 'destroy' },
  },
  {
    does: 'regenerate',
    handler: regenerate,
    calls: ['get regenerate set', 'get regenerate set', 'regenerate set'],
    finds: GONE,
  },
  {
    does: 'regenerate-and-modify',
    handler: chain(regenerate, modify),
    calls: ['get regenerate set', 'get regenerate set', 'regenerate set'],
    finds: CHANGED,
  },
  {
    does: 'regenerate-and-save',
    handler: chain(regenerate, modify, save),
    calls: ['get regenerate set set', 'get regenerate set set', 'regenerate set set'],
    finds: CHANGED,
  },
]

const columns = ['of-an-existing-session', 'of-an-existing-session-with-resave', 'of-a-new-session'] as const
const rule = prefixRules('http/matrix')

export const matrix: StoreRule[] = cases.flatMap(({ does, handler, calls, finds, options }) =>
  columns.map((column, i) =>
    rule(
      `${does}-${column}`,
      'A store that is called otherwise than its author thought loses sessions, or keeps what should go.',
      async ({ open }) => {
        await withApp(open(), { resave: i === 1, ...options }, async (app) => {
          const browser = app.browser()
          if (i < 2) {
            await browser.request((req) => {
              req.session.name = 'Ada'
            })
            assert.equal(await app.calls(), 'set')
          }
          assert.deepEqual((await browser.request(handler)).body, 'the whole answer')
          assert.equal(await app.calls(), calls[i])
          const { body } = await browser.request((req, res) => void res.end(String(req.session.name)))
          assert.equal(body, String(finds[i]))
        })
      },
    ),
  ),
)
