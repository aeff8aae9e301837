import type { Request, RequestHandler, Response } from 'express'
import { type AugmentedRequest, MemoryStore, rateLimit } from 'express-rate-limit'
import { findNameProblem, readCredentials } from './credentials.ts'
import { Refusal } from './errors.ts'

const MINUTE = 60_000

/** Limits tries to sign in, from wherever they come. */
export interface Limits {
  /** Limits the tries from one address. */
  address: RequestHandler
  /** Limits the wrong passwords for one name. */
  name: RequestHandler
  /** Forgets the tries for the name of this request, whose password was right. */
  succeed(req: Request): Promise<void>
  /** Takes back the try of this request, whose password was not compared. */
  undo(req: Request): Promise<void>
}

export interface LimitOptions {
  /** Tries from one address per minute. */
  triesPerAddress: number
  /** Wrong passwords for one name per 15 minutes. */
  triesPerName: number
}

export function makeLimits({ triesPerAddress, triesPerName }: LimitOptions): Limits {
  const address = rateLimit({
    windowMs: MINUTE,
    limit: triesPerAddress,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: refuseTry,
  })
  const tries = new MemoryStore()
  // A try counts before its password is compared. Otherwise many parallel tries would pass, and
  // a client could hide a wrong try by closing the connection early.
  const name = rateLimit({
    windowMs: 15 * MINUTE,
    limit: triesPerName,
    store: tries,
    keyGenerator: keyOfName,
    // A header with the remaining tries would reveal when the owner of the name signs in.
    standardHeaders: false,
    legacyHeaders: false,
    handler: refuseTry,
  })
  return {
    address,
    name,
    succeed: async (req) => tries.resetKey(keyOfName(req)),
    undo: async (req) => tries.decrement(keyOfName(req)),
  }
}

/**
 * Returns the key for the tries of a name. All spellings of a name share a key, and so do all names
 * that nobody can sign up with.
 */
function keyOfName(req: Request): string {
  const { name } = readCredentials(req.body)
  return findNameProblem(name) ? '' : name.toLowerCase()
}

function refuseTry(req: Request, _res: Response, next: (refusal: Refusal) => void): void {
  const { resetTime = new Date() } = (req as AugmentedRequest).rateLimit!
  const seconds = Math.ceil((resetTime.getTime() - Date.now()) / 1000)
  next(
    new Refusal({
      status: 429,
      title: 'Too many tries',
      advice: 'Somebody tried to sign in too often, from this address or with this name.',
      retryAfter: Math.max(1, seconds),
    }),
  )
}
