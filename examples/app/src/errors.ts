import type { ErrorRequestHandler } from 'express'
import type { Cookies } from './cookies.ts'

interface Explanation {
  status: number
  title: string
  advice: string
  /** In seconds. */
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

interface ErrorOptions {
  cookies: Cookies
  render: (page: string, data: object) => string
}

export function makeErrorHandler({ cookies, render }: ErrorOptions): ErrorRequestHandler {
  return (error: unknown, _req, res, next) => {
    if (res.headersSent) return next(error)
    const { code = '' } = error as { code?: string }
    // The session of this cookie can no longer be read, so only a new session helps.
    if (['CORRUPT', 'SEAL_BROKEN', 'NOT_SEALED'].includes(code))
      return res.clearCookie(cookies.session, cookies.attributes).redirect(303, '/sign-in')
    const { status, title, advice, retryAfter } = explain(error)
    if (status >= 500 && !(error instanceof Refusal)) console.error(error)
    if (retryAfter !== undefined) res.set('Retry-After', `${retryAfter}`)
    res.status(status).send(render('error', { title, advice }))
  }
}

function explain(error: unknown): Explanation {
  if (error instanceof Refusal) return error.explanation
  const { code = '', statusCode = 500 } = error as { code?: string; statusCode?: number }
  if (['UNAVAILABLE', 'TIMEOUT', 'OVERLOADED'].includes(code))
    return {
      status: 503,
      title: 'Back in a moment',
      advice: 'The sessions cannot be reached just now. Nothing is lost: try again.',
      retryAfter: 5,
    }
  if (code === 'EBADCSRFTOKEN')
    return {
      status: 403,
      title: 'This form is out of date',
      advice: 'Go back, reload the page and send it again.',
    }
  return {
    status: statusCode,
    title: 'Something went wrong',
    advice: `The server answered with ${statusCode}.`,
  }
}
