import { parseArgs } from 'node:util'
import type { Rule } from '../engine/rule.ts'
import { CONCURRENCY, DEADLINE } from '../engine/run.ts'

/** The text of `--help`. */
export const USAGE: string = `Checks any express-session store, rule by rule.

  npx @session-stores/conformance [options] ./conformance.mjs

  The module exports \`make\`, which makes the stores. It may also export \`name\`, \`versions\`,
  \`supports\`, \`accepts\` and \`optOut\`.

  --rule <id>         check only this rule, or the rules whose ids begin with <id>; repeatable
  --json              print the report as JSON instead of a table
  --markdown          print the report as Markdown
  --badge             print a badge, as JSON for shields.io
  --deadline <ms>     time after which a rule times out and fails (default: ${DEADLINE})
  --concurrency <n>   number of rules that run side by side (default: ${CONCURRENCY})
  --list              list the rules
  --explain <rule>    explain a rule
  --version, --help

  Exit codes: 0 if every \`must\` rule holds and every error was caught, 1 if not,
  2 if nothing could be checked.
`

/** How a report is printed. */
export type Format = 'table' | 'json' | 'markdown' | 'badge'

/** What the command line asks for. */
export type Command =
  | { do: 'help' }
  | { do: 'version' }
  | { do: 'list'; rules: readonly Rule[] }
  | { do: 'explain'; rules: readonly Rule[] }
  | {
      do: 'check'
      module: string
      rules: readonly Rule[]
      format: Format
      deadline: number
      concurrency: number
    }

/** A mistake of the person who typed the command. The message is the only output. */
export class Misuse extends Error {}

/**
 * Parses the command line.
 * @throws Misuse if the arguments make no sense.
 */
export function parseCommand(args: readonly string[], rules: readonly Rule[]): Command {
  const { values, positionals } = parseOptions(args)
  if (values.help) return { do: 'help' }
  if (values.version) return { do: 'version' }
  const chosen = values.rule ? select(values.rule, rules) : rules
  if (values.list) return { do: 'list', rules: chosen }
  if (values.explain !== undefined) return { do: 'explain', rules: select([values.explain], rules) }
  const [module, ...more] = positionals
  if (module === undefined)
    throw new Misuse('no module is given: `npx @session-stores/conformance ./conformance.mjs`')
  if (more.length > 0)
    throw new Misuse(`only one module can be checked at a time, not also ${more.join(' ')}`)
  const formats = (['json', 'markdown', 'badge'] as const).filter((name) => values[name])
  if (formats.length > 1) throw new Misuse(`only one report can be printed, not --${formats.join(' and --')}`)
  return {
    do: 'check',
    module,
    rules: chosen,
    format: formats[0] ?? 'table',
    deadline: parsePositive('deadline', values.deadline) ?? DEADLINE,
    concurrency: parsePositive('concurrency', values.concurrency) ?? CONCURRENCY,
  }
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rule: { type: 'string', multiple: true },
        json: { type: 'boolean' },
        markdown: { type: 'boolean' },
        badge: { type: 'boolean' },
        deadline: { type: 'string' },
        concurrency: { type: 'string' },
        list: { type: 'boolean' },
        explain: { type: 'string' },
        version: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new Misuse((error as Error).message)
  }
}

/**
 * Returns the rules with these ids, or whose ids begin with one of them, in the order of `rules`.
 */
function select(ids: readonly string[], rules: readonly Rule[]): readonly Rule[] {
  const chosen = new Set<Rule>()
  for (const id of ids) {
    const exact = rules.filter((rule) => rule.id === id)
    const found = exact.length > 0 ? exact : rules.filter((rule) => rule.id.startsWith(id))
    if (id === '' || found.length === 0) throw new Misuse(`no such rule: ${id}; --list shows all rules`)
    for (const rule of found) chosen.add(rule)
  }
  return rules.filter((rule) => chosen.has(rule))
}

function parsePositive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  // A larger number would overflow a timer.
  if (!Number.isSafeInteger(value) || value < 1 || value >= 2 ** 31) {
    throw new Misuse(`--${name} takes a whole number of 1 or more, not ${text}`)
  }
  return value
}
