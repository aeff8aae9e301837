import { join } from 'node:path'
import { Eta } from 'eta'
import type { Request, Response } from 'express'

const views = new Eta({ views: join(import.meta.dirname, '..', 'views'), cache: true })

export function render(page: string, data: object): string {
  return views.render(page, data)
}

/** Answers the request with a page for the current user. */
export function show(req: Request, res: Response, page: string, data: object = {}): void {
  res.send(render(page, { ...data, user: req.user }))
}
