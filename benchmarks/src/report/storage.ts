import type { DatabaseId } from '@session-stores/testbed/databases'
import { MAIN } from '../plan/main-subjects.ts'
import type { Run, Storage } from '../results/results.ts'
import { number } from './html.ts'
import { databaseNames, inOrder, nameOf, subjectOf } from './labels.ts'

/** More than this many times the bytes of the peer needs a reason. */
const MUCH = 1.1

/** Why a session of ours takes up more, by database. */
const reasons: Readonly<Record<DatabaseId, string>> = {
  redis:
    'a value holds, beside the session, the tag that decides between two saves, the time of creation and the deadline, and its key is a hash of 43 characters. Redis rounds the size of a value up to the next size of its allocator: 2,060 bytes take up 2,560.',
  mongodb:
    'a document holds, beside the session, the tag that decides between two saves, the time of creation, the deadline and a rounded time of its removal, and its key is a hash of 43 characters.',
  postgres:
    'a fifth of each page stays free (fillfactor 80), so that a touch finds room on the page of its row and changes no index. A row also holds the tag that decides between two saves, and two more points in time.',
  sqlite:
    'a row holds, beside the session, the tag that decides between two saves and two more points in time. An index by the time of removal keeps pruning short.',
}

export const storageHead: readonly string[] = [
  ...['store', 'session of', 'data', 'indexes', 'together', 'to the usual package', 'compressed on disk'],
]

/** Returns the rows of the table of bytes for each session. */
export function findStorage(run: Run): string[][] {
  const all = [...(run.storage ?? [])].sort((a, b) => inOrder(run)(a, b) || a.payload - b.payload)
  return all.map((one) => {
    const { subject, payload, data, indexes, compressed } = one
    const ratio = ratioOf(run, one)
    return [
      ...[nameOf(subjectOf(run, subject)), `${number(payload)} B`, number(data)],
      ...[indexes === null ? '' : number(indexes), number(sumOf(one))],
      ...[ratio === undefined ? '' : `${number(ratio)}x`, compressed === null ? '' : number(compressed)],
    ]
  })
}

/** Says why sessions of ours take up more than those of the peer, as plain text. */
export function explainStorage(run: Run): string[] {
  return (run.storage ?? []).flatMap((one) => {
    const { variant, database } = subjectOf(run, one.subject)
    const ratio = ratioOf(run, one)
    const isLarger = variant === 'standalone' && ratio !== undefined && ratio > MUCH
    const reason = reasons[database as DatabaseId]
    if (!isLarger || !reason) return []
    return [`${databaseNames[database]}, a session of ${number(one.payload)} B, ${number(ratio)}x: ${reason}`]
  })
}

const sumOf = ({ data, indexes }: Storage): number => data + (indexes ?? 0)

/** Returns the ratio of a store of ours to the package that most people use. */
function ratioOf(run: Run, one: Storage): number | undefined {
  const { role, database } = subjectOf(run, one.subject)
  const peer = run.storage?.find(
    ({ subject, payload }) =>
      payload === one.payload && MAIN.includes(subject) && subjectOf(run, subject).database === database,
  )
  return role === 'ours' && peer ? sumOf(one) / sumOf(peer) : undefined
}
