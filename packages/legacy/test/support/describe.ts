import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionStore, StoreOptions } from '@session-stores/core'
import { mongoServer, postgresServer, redisServer } from '@session-stores/testbed'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe } from 'vitest'
import { type FormatId, formatIds, formats, type Old, openNew, openOld, type Place } from './places.ts'

/** What the tests of a format work with. */
export interface Site {
  place: Place
  old: Old
  /** Opens the new store, which is closed after the test. */
  open(options?: StoreOptions): Promise<SessionStore>
}

/** Opens the old store of a new place for one test. */
export async function openSite(format: FormatId, url: string): Promise<Site> {
  const place = { format, url, namespace: `n${randomBytes(6).toString('hex')}` }
  const old = await openOld(place)
  after(() => old.close())
  return {
    place,
    old,
    async open(options) {
      const store = await openNew(place, options)
      after(() => store.close())
      return store
    },
  }
}

const servers = { redis: redisServer, postgres: postgresServer, mongodb: mongoServer }

/** What is tested of a format. `makeSite` opens a new place for a test. */
export type Suite = (makeSite: () => Promise<Site>, format: FormatId) => void

/** Declares the same tests for each of the formats of a database. */
export function describeFormats(database: DatabaseId, ...suites: readonly Suite[]): void {
  for (const format of formatIds.filter((id) => formats[id] === database)) {
    const declare = (makeSite: () => Promise<Site>) => {
      for (const suite of suites) suite(makeSite, format)
    }
    if (database === 'sqlite')
      describe(format, () =>
        declare(() => {
          const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
          after(() => rmSync(folder, { recursive: true }))
          return openSite(format, join(folder, 'sessions.db'))
        }),
      )
    else describeWith(format, servers[database], ({ url }) => declare(() => openSite(format, url)))
  }
}
