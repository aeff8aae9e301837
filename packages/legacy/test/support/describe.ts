import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionStore, StoreOptions } from '@session-stores/core'
import { mongoServer, postgresServer, redisServer } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe } from 'vitest'
import { type FormatId, formatIds, formats, type Old, openNew, openOld, type Place } from './places.ts'

/** What the tests of a format work with. */
export interface Site {
  place: Place
  old: Old
  /** Opens the new store, which is closed after the test. */
  open(options?: StoreOptions): SessionStore
}

/** Opens the old store of a new place for one test. */
export async function openSite(format: FormatId, url: string): Promise<Site> {
  const place = { format, url, namespace: `n${randomBytes(6).toString('hex')}` }
  const old = await openOld(place)
  after(() => old.close())
  return {
    place,
    old,
    open(options) {
      const store = openNew(place, options)
      after(() => store.close())
      return store
    },
  }
}

const servers = { redis: redisServer, postgres: postgresServer, mongodb: mongoServer }

/** Declares the same tests for each of the formats. `makeSite` opens a new place for a test. */
export function describeFormats(
  body: (makeSite: () => Promise<Site>, format: FormatId) => void,
  only: readonly FormatId[] = formatIds,
): void {
  for (const format of only) {
    const { database } = formats[format]
    if (database === 'sqlite')
      describe(format, () =>
        body(() => {
          const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
          after(() => rmSync(folder, { recursive: true }))
          return openSite(format, join(folder, 'sessions.db'))
        }, format),
      )
    else describeWith(format, servers[database], ({ url }) => body(() => openSite(format, url), format))
  }
}
