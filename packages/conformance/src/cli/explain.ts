import type { Rule } from '../engine/rule.ts'

/** A line for each rule. */
export function listed(rules: readonly Rule[]): string {
  const width = Math.max(...rules.map(({ id }) => id.length))
  return rules.map(({ id, level, title }) => `${level.padEnd(6)}  ${id.padEnd(width)}  ${title}\n`).join('')
}

/** All that is known of each rule. */
export function explained(rules: readonly Rule[]): string {
  return rules.map(explain).join('\n')
}

function explain({ id, level, title, why, source, methods = [], needs = [] }: Rule): string {
  return [
    `${id} (${level})`,
    `  ${title}`,
    '',
    `  Why it matters: ${why}`,
    ...(source ? [`  Source: ${source}`] : []),
    ...(methods.length > 0 ? [`  Of stores with: ${methods.join(', ')}`] : []),
    ...(needs.length > 0 ? [`  Needs of \`make\`: ${needs.join(', ')}`] : []),
    '',
  ].join('\n')
}
