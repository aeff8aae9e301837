import { parseArgs } from 'node:util'
import type { Rule } from '../engine/rule.ts'
import { CONCURRENCY, DEADLINE } from '../engine/run.ts'

export const USAGE: string = `Checks any store for express-session, rule by rule.

  session-stores-conformance [options] ./my-store.js

  The module exports \`make\`, which makes the stores (and \`name\`, \`versions\`, \`supports\`, \`accepts\`, \`optOut\`).

  --rule <id>         only this rule, or those whose ids begin so; may be given several times
  --json              the report as JSON, instead of the table
  --markdown          the report as Markdown
  --badge             a badge, as JSON for shields.io
  --deadline <ms>     after which a rule is given up, and fails; ${DEADLINE} by default
  --concurrency <n>   rules side by side; ${CONCURRENCY} by default
  --list              the rules
  --explain <rule>    what a rule is about
  --version, --help

  Ends with 0; with 1 where a rule of level \`must\` is broken; with 2 where nothing could be checked.
`

export type Format = 'table' | 'json' | 'markdown' | 'badge'

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

/** What the command line cannot make sense of; the message is for whoever typed it. */
export class Misuse extends Error {}

export function commandOf(args: readonly string[], rules: readonly Rule[]): Command {
  const { values, positionals } = parsed(args)
  if (values.help) return { do: 'help' }
  if (values.version) return { do: 'version' }
  const chosen = values.rule ? select(values.rule, rules) : rules
  if (values.list) return { do: 'list', rules: chosen }
  if (values.explain !== undefined) return { do: 'explain', rules: select([values.explain], rules) }
  const [module, ...more] = positionals
  if (module === undefined) throw new Misuse('which module? `session-stores-conformance ./my-store.js`')
  if (more.length > 0) throw new Misuse(`one module at a time, not also ${more.join(' ')}`)
  const formats = (['json', 'markdown', 'badge'] as const).filter((name) => values[name])
  if (formats.length > 1) throw new Misuse(`one report at a time, not --${formats.join(' and --')}`)
  return {
    do: 'check',
    module,
    rules: chosen,
    format: formats[0] ?? 'table',
    deadline: positive('deadline', values.deadline) ?? DEADLINE,
    concurrency: positive('concurrency', values.concurrency) ?? CONCURRENCY,
  }
}

function parsed(args: readonly string[]) {
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

/** The rules with these ids, or whose ids begin so, in their own order. */
function select(ids: readonly string[], rules: readonly Rule[]): readonly Rule[] {
  const chosen = new Set<Rule>()
  for (const id of ids) {
    const exact = rules.filter((rule) => rule.id === id)
    const found = exact.length > 0 ? exact : rules.filter((rule) => rule.id.startsWith(id))
    if (id === '' || found.length === 0) throw new Misuse(`no such rule: ${id}; --list names them all`)
    for (const rule of found) chosen.add(rule)
  }
  return rules.filter((rule) => chosen.has(rule))
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  // More would overflow a timer.
  if (!Number.isSafeInteger(value) || value < 1 || value >= 2 ** 31) {
    throw new Misuse(`--${name} takes a whole number from 1, not ${text}`)
  }
  return value
}
