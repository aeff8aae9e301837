import assert from 'node:assert/strict'
import { done, type Handler, withApp } from '@session-stores/conformance/sites'
import type { SessionOptions } from 'express-session'
import { HOUR, ruleOf, type StoreRule } from '../policy/fixture.ts'

/**
 * Which calls express-session makes of the store, for each thing that a request can do with its session, and
 * what the next request finds.
 */

/** A session that is there, the same with `resave: true`, and a new one. */
type Columns<T> = readonly [existing: T, resaved: T, fresh: T]

interface Case {
  does: string
  handler: Handler
  calls: Columns<string>
  /** The name in the session of the next request. */
  finds: Columns<string | undefined>
  options?: Partial<SessionOptions>
}

const modify: Handler = (req) => {
  req.session.name = 'Grace'
}
const save: Handler = (req) => done((callback) => req.session.save(callback))
const destroy: Handler = (req) => done((callback) => req.session.destroy(callback))
const regenerate: Handler = (req) => done((callback) => req.session.regenerate(callback))

const inTurn =
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
    handler: inTurn(modify, save),
    calls: ['get set touch', 'get set touch', 'set'],
    finds: CHANGED,
  },
  // Of a new session it leaves a row that no browser has a cookie for.
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
    handler: inTurn(regenerate, modify),
    calls: ['get regenerate set', 'get regenerate set', 'regenerate set'],
    finds: CHANGED,
  },
  {
    does: 'regenerate-and-save',
    handler: inTurn(regenerate, modify, save),
    calls: ['get regenerate set set', 'get regenerate set set', 'regenerate set set'],
    finds: CHANGED,
  },
]

const columns = ['of-an-existing-session', 'of-an-existing-session-with-resave', 'of-a-new-session'] as const
const rule = ruleOf('http/matrix')

export const matrix: StoreRule[] = cases.flatMap(({ does, handler, calls, finds, options }) =>
  columns.map((column, i) =>
    rule(
      `${does}-${column}`,
      'A store that is called otherwise than its author thought loses sessions, or keeps what should go.',
      async ({ one }) => {
        await withApp(one(), { resave: i === 1, ...options }, async (app) => {
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
