import { closest } from './closest.ts'

/**
 * What an option takes, in words, and the check of its value. In place of `false`, the check may
 * return what is wrong with just this value, such as "holds a '#'". For authors of drivers.
 */
export type OptionRule = readonly [takes: string, check: (value: unknown) => boolean | string]

/** The rules of all options, by name. For authors of drivers. */
export type OptionRules = Readonly<Record<string, OptionRule>>

/**
 * What to write in place of names that are no options, such as those of other stores: by name, as
 * the end of a sentence. For authors of drivers.
 */
export type OptionHints = Readonly<Record<string, string>>

/** What `checkOptions` checks besides the values. For authors of drivers. */
export interface OptionChecks {
  /**
   * The options that must be given.
   *
   * @default []
   */
  required?: readonly string[]
  /**
   * What to write in place of names that are no options.
   *
   * @default {}
   */
  hints?: OptionHints
}

/**
 * Returns the hint for a name that stands for an option. For authors of drivers.
 *
 * @example
 * const hints = { ttl: meant('idleTimeout', 'milliseconds') }
 */
export const meant = (name: string, note?: string): string =>
  `did you mean '${name}'${note === undefined ? '' : ` (${note})`}?`

/**
 * Checks options against the rules of the known ones. An option that is `undefined` counts as left
 * out, unless it is required. For authors of drivers.
 *
 * @throws TypeError that names the first option that is unknown, wrong or missing, and says what to
 *   write.
 * @example
 * checkOptions(options, { table: ['the name of a table', (value) => typeof value === 'string'] })
 */
export function checkOptions(
  options: object,
  rules: OptionRules,
  { required = [], hints = {} }: OptionChecks = {},
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const first = required[0] ?? Object.keys(rules)[0]
    throw new TypeError(`the options must be an object, such as { ${first}: … }`)
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(rules, name)) throw new TypeError(explainUnknown(name, Object.keys(rules), hints))
    const [takes, check] = rules[name]!
    const verdict = value === undefined || check(value)
    if (verdict !== true) throw new TypeError(`option '${name}' ${verdict || `takes ${takes}`}`)
  }
  for (const name of required)
    if ((options as Record<string, unknown>)[name] === undefined)
      throw new TypeError(
        `option '${name}' is ${name in options ? 'undefined' : 'missing'}; it takes ${rules[name]![0]}`,
      )
}

/** Returns the message for an option that does not exist. */
function explainUnknown(name: string, known: readonly string[], hints: OptionHints = {}): string {
  const near = closest(name, known)
  const hint = Object.hasOwn(hints, name) ? hints[name] : near && meant(near)
  const list = `options are ${known.join(', ')}`
  return hint === undefined
    ? `unknown option '${name}'; the ${list}`
    : `unknown option '${name}': ${hint} The ${list}`
}

/**
 * Checks that exactly one of the options in `forms` is given. The values of `forms` say what each
 * option takes. For authors of drivers.
 *
 * @throws TypeError where none or several are given.
 * @example
 * exactlyOne(options, { url: 'a connection string', client: 'a MongoClient' })
 */
export function exactlyOne(options: object, forms: Readonly<Record<string, string>>): void {
  const names = Object.keys(forms)
  const given = names.filter((name) => (options as Record<string, unknown>)[name] !== undefined)
  if (given.length === 1) return
  const empty = given.length === 0 && names.find((name) => name in options)
  const named = Object.entries(forms).map(([name, form]) => `'${name}' (${form})`)
  const wanted = `give exactly one of the options ${named.join(' and ')}`
  throw new TypeError(empty ? `option '${empty}' is undefined; ${wanted}` : wanted)
}

/**
 * Returns what is wrong with a URL that holds a `#`, or `undefined`. A `#` ends the part of a URL
 * that is read: from a password with a `#`, some clients make another host. For authors of drivers.
 */
export const refuseFragment = (url: string): string | undefined =>
  url.includes('#')
    ? "holds a '#', which ends a URL: write a password in it as encodeURIComponent(password) returns it, with %23"
    : undefined
