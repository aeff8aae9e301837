import { growing } from '../soak/result.ts'
import type { ReliabilityResult } from './result.ts'

/** Returns what is wrong, one sentence each. Nothing where all promises were kept. */
export function findFailures({ histories, soak }: ReliabilityResult): string[] {
  return [
    ...(histories?.places ?? []).flatMap(({ name, violations, error }) => [
      ...(error === undefined ? [] : [`${name}: ${error}.`]),
      ...(violations.length === 0
        ? []
        : [
            `${name}: ${violations.length} ${violations.length === 1 ? 'session has' : 'sessions have'} wrong answers.`,
          ]),
    ]),
    ...(soak?.databases ?? []).flatMap((result) =>
      growing(result.measures).map(
        (measure) => `${result.database}: ${measure} grows with the number of requests.`,
      ),
    ),
  ]
}
