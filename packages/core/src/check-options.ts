/** What an option takes, in words, and the check of its value. For authors of drivers. */
export type OptionRule = readonly [takes: string, check: (value: unknown) => boolean]

/**
 * Checks options against the rules of the known ones. An option that is `undefined` counts as left
 * out. For authors of drivers.
 *
 * @throws TypeError that names the first option that is unknown or wrong, and says what it takes.
 * @example
 * checkOptions(options, { table: ['the name of a table', (value) => typeof value === 'string'] })
 */
export function checkOptions(options: object, known: Readonly<Record<string, OptionRule>>): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('the options must be an object')
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name))
      throw new TypeError(`unknown option '${name}'; the options are ${Object.keys(known).join(', ')}`)
    const [takes, check] = known[name]!
    if (value !== undefined && !check(value)) throw new TypeError(`option '${name}' takes ${takes}`)
  }
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
  const given = Object.keys(forms).filter((name) => (options as Record<string, unknown>)[name] !== undefined)
  if (given.length === 1) return
  const named = Object.entries(forms).map(([name, form]) => `'${name}' (${form})`)
  throw new TypeError(`give exactly one of the options ${named.join(' and ')}`)
}
