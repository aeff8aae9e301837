import type { Row, Write } from '@session-stores/core'
import { toRow } from '../../../src/contract/fixture.ts'
import { force, isLive, type Mutant, readRow } from './helpers.ts'

/**
 * Inverts one decision: the mutant refuses a write that must land, or lands one that must not or
 * has landed.
 */
export function decideWrongly(verb: string, state: string, refuses: boolean): Mutant {
  return (driver) => ({
    async write(writes, now) {
      const wrong: Write[] = []
      for (const write of writes)
        if (readVerb(write) === verb && readState(await readRow(driver, write.key), write, now) === state)
          wrong.push(write)
      const landed = await driver.write(
        writes.filter((write) => !wrong.includes(write)),
        now,
      )
      if (refuses) return landed
      for (const write of wrong) await force(driver, toRow(write))
      return [...landed, ...wrong.map(({ key }) => key)]
    },
  })
}

function readVerb({ data, expect }: Write): string {
  if (data === null) return expect === undefined ? 'tombstone' : 'conditional-tombstone'
  return expect === '' ? 'create' : 'update'
}

function readState(row: Row | undefined, { tag, expect }: Write, now: number): string {
  if (row === undefined) return 'missing-row'
  const kind = row.data === null ? 'tombstone' : 'session'
  if (row.expiresAt === now) return `${kind}-expiring-now`
  const own = row.tag === tag
  if (!isLive(row, now)) return own && row.data !== null ? 'expired-session-with-own-tag' : `expired-${kind}`
  const expected = row.tag === expect || row.tag === 'expected'
  return `${row.data === null ? 'live-' : ''}${kind}-with-${own ? 'own' : expected ? 'expected' : 'other'}-tag`
}
