import { databases } from '@session-stores/testbed/databases'
import type { Lost } from '../histories/checker.ts'
import { MUTANTS } from '../histories/mutants.ts'
import { OPERATION_TIMEOUT, SESSIONS } from '../histories/protocol.ts'
import { count, duration, table } from '../text.ts'
import { toSoakSection } from './page-soak.ts'
import type { HistoriesPart, PlaceResult, ReliabilityResult, Run } from './result.ts'
import { findFailures } from './verdict.ts'

/** Returns docs/reliability.md. The page follows from the result alone. */
export function toPage(result: ReliabilityResult): string {
  const { histories, soak } = result
  const sections = [
    '# Reliability',
    `This page says how the stores were attacked, how often, and what happened. The command \`npx -y pnpm@12 reliability\` writes it, from [its figures](https://github.com/session-stores/session-stores/blob/main/docs/generated/reliability.json).`,
    toVerdict(result),
    ...(histories
      ? [toMethod(histories), toResults(histories), toFaults(histories), toRepeat(histories)]
      : []),
    ...(soak ? [toSoakSection(soak)] : []),
    toLimits(),
  ]
  return `${sections.join('\n\n')}\n`
}

function toVerdict(result: ReliabilityResult): string {
  const { histories, soak } = result
  const failures = findFailures(result)
  const lines: string[] = []
  if (histories) {
    const sum = (pick: (place: PlaceResult) => number): number =>
      histories.places.reduce((total, place) => total + pick(place), 0)
    const struck = sum(({ faults }) => Object.values(faults).reduce((total, number) => total + number, 0))
    lines.push(
      `- **Histories.** ${count(sum((place) => place.histories))} histories with ${count(sum(({ operations }) => operations))} calls were recorded and checked in ${duration(secondsOf(histories))}, on ${histories.places.length} databases and deployments, while ${count(struck)} faults struck. Wrong answers: **${count(sum(({ violations }) => violations.length))}**. Sessions that the checker did not decide in time: ${count(sum(({ undecided }) => undecided))}.`,
    )
  }
  if (soak) {
    const [requests, seconds] = soak.databases.reduce(
      ([made, took], database) => [made + database.requests, took + database.seconds],
      [0, 0],
    )
    lines.push(
      `- **Endurance.** ${count(requests)} requests on ${soak.databases.length} databases in ${duration(seconds)}. Measures that grow with the number of requests: **${soak.databases.flatMap(({ measures }) => measures.filter(({ growth }) => growth === 'grows')).length}**.`,
    )
  }
  if (failures.length > 0) lines.push(`- **What is wrong:** ${failures.join(' ')}`)
  return ['## Result', lines.join('\n'), ...toRuns(result)].join('\n\n')
}

/** Places that were played again in one run share its time. */
function secondsOf({ seconds, places }: HistoriesPart): number {
  const runs = new Map(places.flatMap(({ run }) => (run ? [[JSON.stringify(run), run.seconds]] : [])))
  return [...runs.values()].reduce((sum, more) => sum + more, seconds)
}

function toRuns({ histories, soak }: ReliabilityResult): string[] {
  const describe = (what: string, run: Run): string =>
    `${what}: ${run.date}, commit ${run.commit}, seed ${run.seed}, ${run.cores} cores for everything, ${Object.entries(
      run.versions,
    )
      .map((entry) => entry.join(' '))
      .join(', ')}.`
  // What was made by one command shares a line.
  const toLines = (what: string, parts: readonly (readonly [name: string, run: Run | undefined])[]) => {
    const lines = new Map<string, string[]>()
    for (const [name, run] of parts) {
      if (run === undefined) continue
      const line = describe('', run)
      lines.set(line, [...(lines.get(line) ?? []), name])
    }
    return [...lines].map(([line, names]) => `${what} of ${names.join(', ')}${line}`)
  }
  const places = histories?.places ?? []
  return [
    ...(histories ? [describe('Histories', histories)] : []),
    ...toLines(
      'Later histories',
      places.map(({ name, run }) => [name, run]),
    ),
    ...toLines(
      'Endurance',
      (soak?.databases ?? []).map(({ database, run }) => [databases[database].name, run]),
    ),
  ]
}

function toMethod({ places, together, faults }: HistoriesPart): string {
  const [played, calls] = places.reduce(
    ([all, made], { histories, operations }) => [all + histories, made + operations],
    [0, 0],
  )
  return `## What a history is

Three processes of an application use one database. In each history, six clients make random calls about the same ${SESSIONS} sessions, some ${Math.round(calls / Math.max(played, 1))} calls in all: they create, look up, save, touch, update, regenerate and destroy sessions, save plain objects, and revoke single sessions and all sessions of a user. One of the sessions ends by its deadline again and again. ${together} histories are played at a time, and ${faults} random faults strike them. Every call is recorded with its begin, its end and its answer. In the end, each session is read twice.

[Porcupine](https://github.com/anishathalye/porcupine), a checker of linearizability, then looks for an order of the calls about each session that explains all answers:

- Each call took effect at one moment between its begin and its end.
- A lookup shows every save that was acknowledged before, and nothing older. Saves of several requests are merged by key.
- A session that was destroyed, revoked or regenerated does not come back.
- A session is found until its deadline and not after it.
- A call that failed took effect once or not at all, and not later than ${OPERATION_TIMEOUT} ms (the \`operationTimeout\` here) after it ended.
- A write that is under way when a fault removes what the database holds (\`FLUSHALL\`, a dropped table, a failover) may take effect before it and again after it: a store that got no answer finds nothing, and writes again.
- A create that got no answer is sent again. Where another write has taken the session's place meanwhile, and has expired, the create takes effect a second time. Outside the lab, nobody can write a new session before its create is answered, because nobody knows its id.
- In a deployment with replicas, a write that failed on a primary which is replaced may take effect when that primary comes back.
- A crash or a failover may undo the last writes that were not acknowledged, and keep those before them.

Where no order explains the answers, the history counts as a violation. The checker itself is tested with stores that are broken on purpose. It must find each store that

${MUTANTS.map((mutant) => `- ${mutant}`).join('\n')}`
}

function toResults({ places }: HistoriesPart): string {
  const rows = places.map((place) => {
    const { violations, undecided, lost, silences } = place
    const longest = Math.max(0, ...Object.values(silences).map((silence) => silence.longest))
    return [
      `${place.name} (${place.version})`,
      duration(place.seconds),
      count(place.histories),
      count(place.operations),
      count(place.unanswered),
      place.error ?? `**${violations.length}**`,
      count(undecided),
      longest === 0 ? '–' : longest.toFixed(1),
      lost === undefined ? '–' : toLost(lost),
    ]
  })
  const head = [
    'database or deployment',
    'time',
    'histories',
    'calls',
    'calls that failed or got no answer',
    'violations',
    'undecided',
    'longest time without service, s',
    'acknowledged saves, logouts and refreshes lost',
  ]
  const wrong = places.flatMap(({ database, violations }) =>
    violations.map(
      ({ seed, session, stuck }) =>
        `- ${database}, seed ${seed}, session \`${session}\`: ${stuck.length} calls have no place in any order.`,
    ),
  )
  return [
    '## Results of the histories',
    table(head, rows),
    'A call that fails is no violation: the application knows that it failed. "Without service" is the longest time after a fault in which no call succeeded. A loss after a failover is one that the deployment allows; [Failover](generated/failover.md) explains which do, and what to set. In Redis Cluster, the list of the sessions of a user may be on another master than a session. After a failover of one of them, it may lack a session that began or ended in the last moments, until its next save: a `revokeUser` that misses it counts as a lost logout. Every other loss is a violation, unless the fault itself removes sessions (`FLUSHALL`).',
    ...(wrong.length > 0 ? ['### Violations', wrong.join('\n')] : []),
  ].join('\n\n')
}

const toLost = ({ writes, logouts, tokens }: Lost): string =>
  `${count(writes)}, ${count(logouts)} and ${count(tokens)}`

function toFaults({ places }: HistoriesPart): string {
  const single = places.filter(({ database }) => database in databases)
  const deployed = places.filter(({ database }) => !(database in databases))
  const names = [...new Set(single.flatMap(({ faults }) => Object.keys(faults)))].sort()
  const ofSingle = names.map((name) => [
    name,
    ...single.map(({ faults, silences }) => {
      const times = faults[name]
      if (times === undefined) return '–'
      const silence = silences[name]
      return `${count(times)}${silence ? ` (${silence.median} s, ${silence.longest} s)` : ''}`
    }),
  ])
  const ofDeployments = deployed.flatMap(({ name, faults, silences }) =>
    Object.keys(faults)
      .sort()
      .map((fault, i) => [
        // A name in each row would hide where the next deployment begins.
        i === 0 ? `**${name}**` : '',
        fault,
        count(faults[fault]!),
        silences[fault] ? `${silences[fault].median} s` : '–',
        silences[fault] ? `${silences[fault].longest} s` : '–',
      ]),
  )
  const head = ['deployment', 'fault', 'times', 'without service, median', 'without service, longest']
  return [
    '## Faults',
    'How often each fault struck each database. In parentheses: the median and the longest time without service after it, where some calls failed.',
    table(['fault', ...single.map(({ name }) => name)], ofSingle),
    ...(deployed.length > 0 ? ['### Faults of the deployments', table(head, ofDeployments)] : []),
  ].join('\n\n')
}

function toRepeat({ places, together, faults }: HistoriesPart): string {
  const { database, seeds } = places[0]!
  const rows = places.map((place) => [
    place.name,
    `\`${place.database}\``,
    count(place.rounds),
    `${place.seeds.first} to ${place.seeds.last}`,
  ])
  return `## Repeat it

A seed chooses the calls, their pauses and the faults. It does not choose how processes and servers interleave, so a seed repeats a plan, and not each moment. The option \`--database\` takes the names in the second column. With \`--pages folder\`, the command writes a page about each violation.

\`\`\`sh
npx -y pnpm@12 histories --database ${database} --seed ${seeds.first} --rounds 1 --histories ${together} --faults ${faults}
\`\`\`

${table(['database or deployment', '`--database`', 'rounds', 'seeds'], rows)}`
}

function toLimits(): string {
  return `## What this does not cover

- **One machine.** Servers and applications run on one machine with one clock. Networks break at a proxy, and the clocks of applications are set apart. Machines that lose power, and disks that lose what they have confirmed, are not part of it.
- **Managed services.** The servers are those of the tables. Redis writes each command to its append-only file at once (\`appendfsync always\`), so that a kill loses nothing that was acknowledged. ElastiCache, Atlas, RDS and the like were not tried.
- **Other systems.** Everything runs on Linux.
- **Time.** Random histories find what is frequent enough. Nothing proves that there is no violation.
- **Calls about several sessions.** The checker looks at each session alone. \`revokeUser\` is checked by what it does to each of them.
- **Redis and replication.** Redis answers before a replica has a write. What a failover may lose is counted above, and [Failover](generated/failover.md) says what limits it.

[Conformance](generated/conformance.md) has the rules for single stores, [Mutants](generated/mutations.md) how each rule is checked, and [Failover](generated/failover.md) the outages under load.`
}
