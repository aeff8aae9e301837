import type { Rule } from './rule.ts'
import type { Backend, MakeOptions, Method, Need, Subject } from './subject.ts'

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

const FIELDS: readonly string[] = Object.keys({
  name: true,
  versions: true,
  make: true,
  supports: true,
  accepts: true,
  optOut: true,
} satisfies Record<keyof Subject, true>)
/** What the import of a module, and of a CommonJS module, adds to its own exports. */
const OF_MODULES = ['default', 'module.exports', '__esModule']

/**
 * Checks what a module exports.
 * @param rules The rules that an opt-out may name.
 * @throws TypeError if the value is not a subject. The message says what is wrong.
 */
export function checkSubject(
  subject: Partial<Record<keyof Subject, unknown>>,
  rules: readonly Rule[],
): asserts subject is Subject {
  const { make, supports = {}, accepts = [], optOut = {}, versions = {} } = subject
  const strange = Object.keys(subject).find((field) => ![...FIELDS, ...OF_MODULES].includes(field))
  if (strange !== undefined)
    throw new TypeError(`it has an unknown field \`${strange}\`; the fields are ${FIELDS.join(', ')}`)
  if (typeof make !== 'function') throw new TypeError('it exports no function `make`')
  for (const [method, isSupported] of readEntries('supports', supports)) {
    if (!METHODS.includes(method)) throw new TypeError(`\`supports\` names an unknown method: ${method}`)
    if (typeof isSupported !== 'boolean')
      throw new TypeError(`\`supports.${method}\` is neither true nor false`)
  }
  if (!Array.isArray(accepts)) throw new TypeError('`accepts` is not an array')
  const unknown = accepts.filter((option) => !OPTIONS.includes(option))
  if (unknown.length > 0)
    throw new TypeError(`\`accepts\` names an unknown option of \`make\`: ${unknown.join(', ')}`)
  for (const [id, reason] of readEntries('optOut', optOut)) {
    if (!rules.some((rule) => rule.id === id)) throw new TypeError(`\`optOut\` names an unknown rule: ${id}`)
    if (typeof reason !== 'string' || reason.trim() === '')
      throw new TypeError(`\`optOut\` gives no reason for ${id}`)
  }
  readEntries('versions', versions)
}

function readEntries(name: string, value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null) throw new TypeError(`\`${name}\` is not an object`)
  return Object.entries(value)
}

/** Checks that `make` returned stores which express-session can use. */
export function checkBackend(backend: Backend | undefined): asserts backend is Backend {
  const stores: readonly unknown[] | undefined = backend?.stores
  if (!Array.isArray(stores) || !stores[0])
    throw new Error('`make` returned no store: it must return `{ stores: [store] }`')
  for (const store of stores.slice(0, 2)) {
    if (!store) continue
    const missing = REQUIRED.find((method) => typeof store[method] !== 'function')
    if (missing) throw new Error(`the store has no \`${missing}\``)
  }
}

/**
 * Returns why a rule cannot run on this backend, or `undefined` if it can.
 * @throws Error if the subject declares a method that the store lacks.
 */
export function explainMissing(
  { accepts = [], supports }: Subject,
  backend: Backend,
  methods: readonly Method[],
  needs: readonly Need[],
): string | undefined {
  const method = methods.find((name) => !hasMethod(backend, name))
  if (method && supports?.[method]) throw new Error(`declared present, but missing: ${method}`)
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

/** Throws an error if the store has one of these methods, which its subject declares absent. */
export function checkAbsent(backend: Backend, methods: readonly Method[]): void {
  const present = methods.filter((method) => hasMethod(backend, method))
  if (present.length > 0) throw new Error(`declared absent, but present: ${present.join(', ')}`)
}

const hasMethod = ({ stores }: Backend, method: Method): boolean =>
  typeof (stores[0] as Partial<Record<Method, unknown>>)[method] === 'function'
