import type { Request } from 'express'
import type { Framework } from './http/framework.ts'

/** Express, as the code that all frameworks share sees it. */
export const EXPRESS: Framework<Request> = {
  rawOf: (req) => req,
  hostOf,
  trustProxy: "app.set('trust proxy', 1)",
  signOut: 'signOut(req, res)',
}

function hostOf(req: Request): string | undefined {
  const trusts = req.app.get('trust proxy fn') as
    | ((address: string | undefined, hop: number) => boolean)
    | undefined
  const forwarded = req.get('X-Forwarded-Host')
  const isTrusted = forwarded !== undefined && trusts?.(req.socket.remoteAddress, 0)
  return isTrusted ? forwarded.split(',')[0]!.trim() : req.headers.host
}
