import { join } from 'node:path'
import { Eta } from 'eta'
import type { Request, Response } from 'express'
import { formatRelativeTime } from '../public/relative-time.js'
import { takeNotice } from './notices.ts'

const views = new Eta({ views: join(import.meta.dirname, '..', 'views'), cache: true })

/** Answers the request with a page for the current user, which also confirms what the user just did. */
export function show(req: Request, res: Response, page: string, data: object = {}): void {
  const { database } = req.app.locals
  const notice = takeNotice(req, res)
  res.send(views.render(page, { ...data, notice, database, user: req.user, showTime }))
}

/** Returns the element of a time. A script of the page shows the tooltip in the user's zone. */
function showTime(time: Date): string {
  const text = formatRelativeTime(time.getTime())
  return `<time datetime="${time.toISOString()}" title="${time.toUTCString()}">${text}</time>`
}
