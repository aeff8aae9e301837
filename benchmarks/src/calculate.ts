/**
 * Computes what the databases need for a number of sessions, from the committed runs.
 *
 *     npx -y pnpm@12 capacity --sessions 10000000 --requests 10000 --payload 1000 --lifetime 1209600
 */
import { parseArgs } from 'node:util'
import { readFigures } from './capacity/figures.ts'
import { renderCapacity } from './capacity/table.ts'

const text = { type: 'string' } as const
const names = ['sessions', 'requests', 'payload', 'lifetime'] as const
const usage = `Usage: capacity --sessions N --requests N-a-second --payload BYTES --lifetime SECONDS`

try {
  const { values } = parseArgs({ options: { sessions: text, requests: text, payload: text, lifetime: text } })
  const [sessions, requests, payload, lifetime] = names.map((name) => {
    const value = Number(values[name])
    if (!(value > 0 && value < Number.POSITIVE_INFINITY))
      throw new TypeError(`--${name} takes a number above 0, not '${values[name] ?? ''}'`)
    return value
  }) as [number, number, number, number]
  console.log(renderCapacity({ sessions, requests, payload, lifetime }, readFigures()))
} catch (error) {
  console.error(`${(error as Error).message}\n\n${usage}`)
  process.exitCode = 2
}
