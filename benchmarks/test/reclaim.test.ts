import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { watchStorage } from '../src/run/watch-storage.ts'

let folder: string
let database: Database.Database
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reclaim-test-'))
  database = new Database(join(folder, 'sessions.db'))
  database.exec('CREATE TABLE sessions (id); INSERT INTO sessions VALUES (1), (2), (3), (4)')
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

const watch = (watched: number, signal = new AbortController().signal) =>
  watchStorage({ folder, urls: [] }, undefined, { deadline: Date.now(), sessions: 4, watched }, signal)

describe('watching storage', () => {
  it('reports when the sessions are gone', async () => {
    const watching = watch(60_000)
    database.exec('DELETE FROM sessions')
    const { half, all } = await watching
    assert.ok(half !== null && all !== null && half <= all)
  })

  it('reports when half of the sessions are gone and that the rest stays', async () => {
    database.exec('DELETE FROM sessions WHERE id > 2')
    const { half, all } = await watch(100)
    assert.notEqual(half, null)
    assert.equal(all, null)
  })

  it('reports that too few sessions are gone', async () => {
    database.exec('DELETE FROM sessions WHERE id > 3')
    const { half, all } = await watch(100)
    assert.deepEqual([half, all], [null, null])
  })

  it('ends when the run is interrupted', async () => {
    await assert.rejects(watch(60_000, AbortSignal.abort()), { name: 'AbortError' })
  })
})
