import type { ErrorRequestHandler, RequestHandler } from 'express'
import { show } from './pages.ts'

interface Explanation {
  status: number
  title: string
  advice: string
  /** In how many seconds to try again. The page and the header `Retry-After` say so. */
  retryAfter?: number
}

/** A deliberately refused request. The page explains the reason and what to do. */
export class Refusal extends Error {
  readonly explanation: Explanation

  constructor(explanation: Explanation) {
    super(explanation.title)
    this.explanation = explanation
  }
}

/** Refuses a request that no route took. */
export const refusePath: RequestHandler = (_req, _res, next) =>
  next(
    new Refusal({
      status: 404,
      title: 'There is no such page',
      advice: 'The address may have a typing error, or the page has moved.',
    }),
  )

/** Answers a failed request with a page that says what happened, and what to do. */
export const showError: ErrorRequestHandler = (error: unknown, req, res, next) => {
  if (res.headersSent) return next(error)
  const { code = '' } = error as { code?: string }
  // The session of this cookie can no longer be read, so only a new session helps.
  if (['CORRUPT', 'SEAL_BROKEN', 'NOT_SEALED'].includes(code)) {
    const secure = req.secure
    res.clearCookie(secure ? '__Host-sid' : 'sid', { httpOnly: true, sameSite: 'lax', secure, path: '/' })
    return res.redirect(303, '/sign-in')
  }
  const { status, title, advice, retryAfter } = explain(error)
  if (status >= 500 && !(error instanceof Refusal)) console.error(error)
  if (retryAfter !== undefined) res.set('Retry-After', `${retryAfter}`)
  const retryAt = retryAfter === undefined ? undefined : new Date(Date.now() + retryAfter * 1000)
  // Only a page that is read can be loaded again. A form has to be filled in again.
  const isForm = req.method !== 'GET'
  const path = isForm ? req.path : req.originalUrl
  res.status(status)
  show(req, res, 'error', { title, advice, retryAt, path, isForm })
}

/** Says what happened, and what to do. */
export function explain(error: unknown): Explanation {
  if (error instanceof Refusal) return error.explanation
  const {
    code = '',
    status,
    statusCode = status ?? 500,
  } = error as {
    code?: string
    status?: number
    statusCode?: number
  }
  if (statusCode === 503)
    return {
      status: 503,
      title: 'Back in a moment',
      advice: 'The sessions cannot be reached just now. Nothing is lost.',
      retryAfter: 5,
    }
  if (code === 'CROSS_SITE')
    return {
      status: 403,
      title: 'This form came from another site',
      advice: 'Open the page here, and send the form again.',
    }
  return {
    status: statusCode,
    title: 'Something went wrong',
    advice: `The server answered with ${statusCode}.`,
  }
}
