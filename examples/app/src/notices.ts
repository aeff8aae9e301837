import type { Request, Response } from 'express'

type Notice = 'signed-out' | 'signed-out-everywhere' | 'one-ended' | 'others-ended'

/** What a person did, and the next page confirms. */
const NOTICES: Readonly<Record<Notice, (count: number) => string>> = {
  'signed-out': () => 'You are signed out.',
  'signed-out-everywhere': () => 'You are signed out everywhere.',
  'one-ended': (count: number) =>
    count === 0 ? 'That session had ended before.' : 'That session is signed out.',
  'others-ended': (count: number) =>
    count === 0
      ? 'You were signed in nowhere else.'
      : `${count === 1 ? 'One other session is' : `${count} other sessions are`} signed out.`,
}

const AGE = 60_000
const COOKIE = /(?:^|; *)(?:__Host-)?notice=([a-z-]+)\.(\d{1,6})(?:;|$)/

/** Makes the next page confirm what happened. Its cookie also works for people who just signed out. */
export function confirm(req: Request, res: Response, notice: Notice, count = 1): void {
  res.cookie(nameOf(req), `${notice}.${count}`, { ...attributesOf(req), maxAge: AGE })
}

/** Returns the notice for this page, and forgets it, so that a reload does not show it again. */
export function takeNotice(req: Request, res: Response): string | undefined {
  const [, notice = '', count] = COOKIE.exec(req.get('cookie') ?? '') ?? []
  if (!Object.hasOwn(NOTICES, notice)) return
  res.clearCookie(nameOf(req), attributesOf(req))
  return NOTICES[notice as Notice](Number(count))
}

function nameOf(req: Request): string {
  return req.secure ? '__Host-notice' : 'notice'
}

function attributesOf(req: Request): { httpOnly: true; sameSite: 'strict'; secure: boolean; path: '/' } {
  return { httpOnly: true, sameSite: 'strict', secure: req.secure, path: '/' }
}
