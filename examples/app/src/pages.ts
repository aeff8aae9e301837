import { join } from 'node:path'
import { Eta } from 'eta'
import type { Request, Response } from 'express'

/** Answers the request with a page for the current user. */
export type Show = (req: Request, res: Response, page: string, data?: object) => void

const views = new Eta({ views: join(import.meta.dirname, '..', 'views'), cache: true })

export function render(page: string, data: object): string {
  return views.render(page, data)
}

/**
 * Returns a function that answers with a page. `makeToken` is called only for pages with a form, so
 * that other pages set no cookie.
 */
export function makeShow(makeToken: (req: Request, res: Response) => string): Show {
  return (req, res, page, data = {}) => {
    const { user } = req.session
    const hasForm = user !== undefined || page === 'sign'
    res.send(render(page, { ...data, user, csrf: hasForm ? makeToken(req, res) : undefined }))
  }
}
