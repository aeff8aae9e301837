import type { Backend, MakeOptions, Method, Need, Rule, Subject } from './rule.ts'

const METHODS: readonly string[] = ['touch', 'all', 'length', 'clear', 'close'] satisfies Method[]
const OPTIONS: readonly string[] = Object.keys({
  ttl: true,
  prefixes: true,
  secrets: true,
  ttlOf: true,
  touchAfter: true,
  disableTouch: true,
  timeZones: true,
  skew: true,
  tables: true,
  pruneInterval: true,
} satisfies Record<keyof MakeOptions, true>)
const REQUIRED = ['get', 'set', 'destroy'] as const

/** Whether this is a subject. `TypeError`: what is wrong with it; an opt-out must name one of the rules, and say why. */
export function checkSubject(
  subject: Partial<Record<keyof Subject, unknown>>,
  rules: readonly Rule[],
): asserts subject is Subject {
  const { make, supports = {}, accepts = [], optOut = {}, versions = {} } = subject
  if (typeof make !== 'function') throw new TypeError('it exports no function `make`')
  for (const [method, there] of entries('supports', supports)) {
    if (!METHODS.includes(method)) throw new TypeError(`\`supports\` names no method: ${method}`)
    if (typeof there !== 'boolean') throw new TypeError(`\`supports.${method}\` is neither true nor false`)
  }
  if (!Array.isArray(accepts)) throw new TypeError('`accepts` is no array')
  const unknown = accepts.filter((option) => !OPTIONS.includes(option))
  if (unknown.length > 0)
    throw new TypeError(`\`accepts\` names no option of \`make\`: ${unknown.join(', ')}`)
  for (const [id, reason] of entries('optOut', optOut)) {
    if (!rules.some((rule) => rule.id === id)) throw new TypeError(`\`optOut\` names no rule: ${id}`)
    if (typeof reason !== 'string' || reason.trim() === '')
      throw new TypeError(`no reason to opt out of ${id}`)
  }
  entries('versions', versions)
}

function entries(name: string, value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null) throw new TypeError(`\`${name}\` is no object`)
  return Object.entries(value)
}

/** What `make` returned holds stores that express-session could use. */
export function checkBackend(backend: Backend | undefined): asserts backend is Backend {
  const stores: readonly unknown[] | undefined = backend?.stores
  if (!Array.isArray(stores) || !stores[0])
    throw new Error('`make` returned no store: it returns `{ stores: [store] }`')
  for (const store of stores.slice(0, 2)) {
    if (!store) continue
    const missing = REQUIRED.find((method) => typeof store[method] !== 'function')
    if (missing) throw new Error(`the store has no \`${missing}\``)
  }
}

/** Why a rule cannot run on what `make` returned. Throws where the store lacks what it says that it has. */
export function missing(
  { accepts = [], supports }: Subject,
  backend: Backend,
  methods: readonly Method[],
  needs: readonly Need[],
): string | undefined {
  const method = methods.find((name) => !has(backend, name))
  if (method && supports?.[method]) throw new Error(`declared to be there, and missing: ${method}`)
  if (method) return `the store has no ${method}, and does not declare it absent`
  for (const need of needs) {
    if (isOption(need)) {
      if (!accepts.includes(need)) return `the subject does not accept \`${need}\``
    } else if (need === 'second') {
      if (!backend.stores[1]) return '`make` gives no second store'
    } else if (!backend[need]) return `\`make\` gives no \`${need}\``
  }
  return undefined
}

const isOption = (need: Need): need is keyof MakeOptions => OPTIONS.includes(need)

/** Throws where the store has what it says that it lacks. */
export function lacks(backend: Backend, methods: readonly Method[]): void {
  const there = methods.filter((method) => has(backend, method))
  if (there.length > 0) throw new Error(`declared absent, and there: ${there.join(', ')}`)
}

const has = ({ stores }: Backend, method: Method): boolean =>
  typeof (stores[0] as Partial<Record<Method, unknown>>)[method] === 'function'
