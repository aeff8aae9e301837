import type { Response } from 'express'
import { type JsonAnswer, toAnswer } from './http/answers.ts'

/** Answers with the error as JSON. Errors that are neither of a token nor of the store go to `next`. */
export function sendError(res: Response, error: unknown, next: (error: unknown) => void): void {
  const answer = toAnswer(error)
  if (answer === undefined || res.headersSent) next(error)
  else send(res, answer)
}

export function send(res: Response, { status, headers, body }: JsonAnswer): void {
  res.status(status).set(headers)
  if (body === undefined) res.end()
  else res.json(body)
}
