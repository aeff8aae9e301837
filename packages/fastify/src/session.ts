import {
  endSession,
  findPreset,
  type HttpMiddleware,
  type HttpRequest,
  isCookieLost,
  type PromisedSession,
  type StoredSession,
  withPromises,
} from '@session-stores/express/http'
import { TokenError } from '@session-stores/token'
import type { SessionData } from 'express-session'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** The session of a request of Fastify. Its keys are the data: `request.session.userId`. */
export type FastifySession = PromisedSession & SessionFacade

/** The data of a session by methods, as plugins for several kinds of sessions use them. */
export interface SessionFacade {
  /** Returns what the session holds at this key. */
  get<Key extends keyof SessionData>(key: Key): SessionData[Key] | undefined
  get(key: string): unknown
  /** Sets a key; `undefined` removes it. */
  set<Key extends keyof SessionData>(key: Key, value: SessionData[Key] | undefined): void
  set(key: string, value: unknown): void
  /** Returns a copy of all keys and values. */
  data(): Partial<SessionData>
}

/** What `sessions` adds to a request. */
export interface SessionRequest {
  /** The session. `null` ends it and clears its cookie; after its end it is `null`. */
  get session(): FastifySession
  set session(value: FastifySession | null)
}

declare module 'fastify' {
  // Two copies of this, of the ES module and of CommonJS, may be in one program.
  interface FastifyRequest extends SessionRequest {}
}

/** Marks an instance of Fastify where the plugin is registered. */
const MOUNTED: unique symbol = Symbol('session-stores mounted')

/** Ends of sessions that the answer waits for. */
const ENDING: unique symbol = Symbol('session-stores ending')

interface EndingRequest extends HttpRequest {
  [ENDING]?: Promise<void>
}

/** Runs a middleware of express-session for each request, and sets `request.session`. */
export function mount(fastify: FastifyInstance, middleware: HttpMiddleware): void {
  refuseOther(fastify)
  fastify.decorate(MOUNTED, true)
  fastify.decorateRequest('session', {
    getter(this: FastifyRequest) {
      return (withPromises(this.raw as HttpRequest, makeFacade) ?? null) as FastifySession
    },
    setter(this: FastifyRequest, value: unknown) {
      if (value !== null)
        throw new TypeError('request.session takes null, which ends the session; to change it, set its keys')
      end(this.raw as HttpRequest)
    },
  })
  fastify.addHook('onRequest', (request, reply, done) => {
    const req = request.raw as HttpRequest
    req.secure = request.protocol === 'https'
    let isLoading = true
    middleware(req, reply.raw, (error) => {
      // A save that fails at the end of the answer is told by a second call.
      if (!isLoading) return error && request.log.error(error, 'the session could not be stored')
      isLoading = false
      done(error as Error | undefined)
    })
  })
  fastify.addHook('onSend', (request, _reply, payload, done) => {
    const req: EndingRequest = request.raw as HttpRequest
    const ending = req[ENDING]
    const proceed = (): void => {
      const refusal = refusalOf(req)
      if (refusal) done(refusal)
      else done(null, payload)
    }
    if (ending === undefined) return proceed()
    req[ENDING] = undefined
    ending.then(proceed, done)
  })
}

/** @throws TypeError where something else has set `request.session`. */
function refuseOther(fastify: FastifyInstance): void {
  if (!fastify.hasRequestDecorator('session')) return
  if (fastify.hasDecorator(MOUNTED))
    throw new TypeError('sessions is registered twice: register it once, before what uses request.session')
  throw new TypeError(
    'request.session belongs to another plugin, such as @fastify/session: register either that or sessions',
  )
}

function end(req: EndingRequest): void {
  if (req.session == null) return
  const ending = endSession(req, req.session)
  // The hook waits for it. Until then, its failure is not one that nobody handles.
  ending.catch(() => {})
  req[ENDING] = ending
}

/** Returns an error where a session would be stored whose cookie the browser does not get. */
function refusalOf(req: HttpRequest): TokenError | undefined {
  const preset = findPreset(req)
  if (preset === undefined || !isCookieLost(req, preset)) return undefined
  // Nothing is stored without a session.
  req.session = undefined as never
  return new TokenError('INSECURE_CONNECTION', preset.insecure)
}

/** Makes the methods by which plugins use any session. */
function makeFacade(session: StoredSession): SessionFacade {
  const values = session as unknown as Record<string, unknown>
  return {
    get: (key: string) => values[key] as never,
    set(key: string, value: unknown) {
      if (value === undefined) delete values[key]
      else values[key] = value
    },
    data() {
      const { cookie: _cookie, ...data } = session
      return data as Partial<SessionData>
    },
  }
}
