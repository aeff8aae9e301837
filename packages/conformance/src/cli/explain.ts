import type { Rule } from '../engine/rule.ts'

/** Renders one line per rule. */
export function listRules(rules: readonly Rule[]): string {
  const width = Math.max(...rules.map(({ id }) => id.length))
  return rules.map(({ id, level, title }) => `${level.padEnd(6)}  ${id.padEnd(width)}  ${title}\n`).join('')
}

/** Renders everything that is known of each rule. */
export function explainRules(rules: readonly Rule[]): string {
  return rules.map(explainRule).join('\n')
}

function explainRule({ id, level, title, why, source, methods = [], needs = [] }: Rule): string {
  return [
    `${id} (${level})`,
    `  ${title}`,
    '',
    `  Why it matters: ${why}`,
    ...(source ? [`  Source: ${source}`] : []),
    ...(methods.length > 0 ? [`  For stores with: ${methods.join(', ')}`] : []),
    ...(needs.length > 0 ? [`  Needs of \`make\`: ${needs.join(', ')}`] : []),
    '',
  ].join('\n')
}
