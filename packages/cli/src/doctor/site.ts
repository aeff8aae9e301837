import { Failure } from '../failure.ts'
import type { Examination } from './examination.ts'
import { request } from './http.ts'
import { checkJwks } from './jwks.ts'

/** The options about a site. */
export interface SiteFlags {
  site?: string
  cookie?: string
  jwks?: string
}

/** How many redirections are followed. */
const REDIRECTIONS = 5
/** The least time that HSTS should last, in seconds: half a year. */
const HSTS = 15_768_000

/** Checks what a site answers. @throws Failure where it cannot be reached. */
export async function inspectSite(flags: SiteFlags, timeout: number, exam: Examination): Promise<void> {
  const url = toUrl('--site', flags.site!)
  exam.check(
    'site/http',
    url.protocol === 'http:',
    'error',
    'The site is served over plain http: everybody on the way reads the cookies of its users.',
    'Serve it over https, and redirect http to it.',
  )
  const answers = await visit(url, timeout)
  const last = answers.at(-1)!
  checkHsts(exam, url, last)
  const setting = answers.flatMap((answer) =>
    answer.headers.getSetCookie().map((header) => ({ answer, cookie: readCookie(header) })),
  )
  const isSession = ({ name, value }: Cookie) =>
    // express-session signs its cookie, which makes the value begin with `s:`.
    flags.cookie === undefined ? /^s(%3A|:)/i.test(value) : name === flags.cookie
  const sessions = setting.filter(({ cookie }) => isSession(cookie))
  const found = sessions.at(-1)
  if (found === undefined)
    exam.skip(
      COOKIE_CHECKS,
      `${url.pathname} sets no session cookie: name a page that does, or --cookie <name>`,
    )
  else {
    checkCookie(exam, found.cookie)
    checkCaching(exam, found.answer)
  }
  await checkJwks(exam, url, flags.jwks, timeout)
}

/** @throws Failure for a text that is no URL of the web, or holds a password. */
function toUrl(option: string, text: string): URL {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Failure(`${option} takes a URL such as https://example.com/sign-in.`)
  if (url.password !== '') throw new Failure(`The URL of ${option} must not hold a password.`)
  return url
}

/** Requests the page, and what it redirects to on the same site. */
async function visit(start: URL, timeout: number): Promise<Response[]> {
  const answers: Response[] = []
  let url: URL | undefined = start
  while (url !== undefined && answers.length <= REDIRECTIONS) {
    const answer: Response = await request(url, timeout)
    answers.push(answer)
    const location: string | null = answer.headers.get('location')
    const next: URL | null = location === null ? null : URL.parse(location, url.href)
    url = answer.status >= 300 && answer.status < 400 && next?.origin === start.origin ? next : undefined
  }
  return answers
}

function checkHsts(exam: Examination, url: URL, { headers }: Response): void {
  if (url.protocol === 'http:') return exam.skip(['site/hsts'], 'browsers ignore the header over plain http')
  const header = headers.get('strict-transport-security') ?? ''
  const age = Number(/max-age="?(\d+)/i.exec(header)?.[1] ?? 0)
  exam.check(
    'site/hsts',
    age < HSTS,
    'warning',
    header === ''
      ? 'The site does not tell browsers to use https only (no Strict-Transport-Security).'
      : `Browsers keep to https for ${age} seconds only (Strict-Transport-Security).`,
    'Send Strict-Transport-Security: max-age=31536000.',
  )
}

interface Cookie {
  name: string
  value: string
  attributes: ReadonlyMap<string, string>
}

function readCookie(header: string): Cookie {
  const [pair = '', ...rest] = header.split(';')
  const [name = '', value = ''] = pair.split(/=(.*)/s).map((text) => text.trim())
  const attributes = rest.map((part) => {
    const [key = '', text = ''] = part.split('=')
    return [key.trim().toLowerCase(), text.trim()] as const
  })
  return { name, value, attributes: new Map(attributes) }
}

const COOKIE_CHECKS = ['site/secure', 'site/http-only', 'site/same-site', 'site/host-prefix', 'site/no-store']

function checkCookie(exam: Examination, { name, attributes }: Cookie): void {
  exam.check(
    'site/secure',
    !attributes.has('secure'),
    'error',
    `The cookie ${name} has no Secure: browsers send it over plain http, too.`,
    'Set cookie.secure: true, and trust proxy where TLS ends at a proxy.',
  )
  exam.check(
    'site/http-only',
    !attributes.has('httponly'),
    'error',
    `The cookie ${name} has no HttpOnly: every script of the page reads it.`,
    'Set cookie.httpOnly: true.',
  )
  const sameSite = (attributes.get('samesite') ?? '').toLowerCase()
  exam.check(
    'site/same-site',
    sameSite !== 'lax' && sameSite !== 'strict',
    'warning',
    `The cookie ${name} has ${sameSite === '' ? 'no SameSite' : `SameSite=${sameSite}`}: other sites may send it with forms.`,
    "Set cookie.sameSite: 'lax'.",
  )
  const isRefused = attributes.has('domain') || attributes.get('path') !== '/' || !attributes.has('secure')
  const hasPrefix = /^__host-/i.test(name)
  exam.check(
    'site/host-prefix',
    !hasPrefix || isRefused,
    hasPrefix ? 'error' : 'warning',
    hasPrefix
      ? `Browsers refuse the cookie ${name}: with this name it needs Secure and Path=/, and no Domain.`
      : `The cookie ${name} lacks the prefix __Host-, so that other hosts of the domain can set it.`,
    "Give express-session the name '__Host-sid', cookie.path '/' and no cookie.domain.",
  )
}

function checkCaching(exam: Examination, { headers }: Response): void {
  exam.check(
    'site/no-store',
    !/\bno-store\b/i.test(headers.get('cache-control') ?? ''),
    'warning',
    'An answer that sets the session cookie may be cached, and a cache may hand the cookie to another user.',
    'Send Cache-Control: no-store where a cookie is set.',
  )
}
