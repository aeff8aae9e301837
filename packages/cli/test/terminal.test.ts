import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { findCommand, redisProcess } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, test, vi } from 'vitest'
import { makeSession, openOld, saveOld } from '../../legacy/test/support/places.ts'
import { BINARY } from './support/command.ts'
import { newFolder, newPlace, openStore, saveSessions } from './support/places.ts'

// `script` of util-linux gives the command a terminal. Other systems have another `script`.
const hasTerminal = process.platform === 'linux' && findCommand(['script']) !== undefined

/** Starts the command on a terminal of its own. */
function startOnTerminal(args: readonly string[]) {
  const quoted = [process.execPath, BINARY, ...args].map((word) => `'${word}'`)
  const child = spawn('script', ['-qec', quoted.join(' '), '/dev/null'])
  let shown = ''
  child.stdout.on('data', (text) => {
    shown += text
  })
  after(() => child.kill('SIGKILL'))
  return {
    shown: () => shown,
    /** Waits for the text, and then types. */
    async type(prompt: RegExp, keys: string): Promise<void> {
      await vi.waitFor(() => expect(shown).toMatch(prompt), 10_000)
      child.stdin.write(keys)
    },
    ended: once(child, 'close').then(([code]) => code as number),
  }
}

describe.runIf(hasTerminal)('on a terminal', () => {
  describeWith(
    'a Redis with a password',
    () => redisProcess({ password: 'the pass/word' }),
    (server) => {
      const url = `redis://127.0.0.1:${server.port}`

      test('asks for the password, and does not show what is typed', async () => {
        const place = newPlace('redis', server.url)
        const [id] = await saveSessions(openStore(place), 1)
        const prefix = `${place.namespace}:`
        const terminal = startOnTerminal([
          'list',
          '--store',
          url,
          '--prefix',
          prefix,
          '--ask-password',
          '--json',
        ])
        await terminal.type(/Password: /, 'the pass/word\r')
        expect(await terminal.ended).toBe(0)
        expect(terminal.shown()).toContain(openStore(place).handle(id!))
        expect(terminal.shown()).not.toContain('the pass')
      })

      test('ends with 130 where the question is interrupted', async () => {
        const terminal = startOnTerminal(['list', '--store', url, '--ask-password'])
        await terminal.type(/Password: /, '\u0003')
        expect(await terminal.ended).toBe(130)
      })
    },
  )

  test('asks before all sessions end', async () => {
    const place = newPlace('sqlite', join(newFolder(), 'sessions.db'))
    const store = openStore(place)
    await saveSessions(store, 3)
    const args = ['revoke', '--all', '--store', `sqlite:${place.url}`, '--table', place.namespace]
    for (const [answer, code] of [
      ['n\r', 2],
      // Control-D ends the input, and Control-C interrupts.
      ['\u0004', 2],
      ['\u0003', 130],
    ] as const) {
      const refused = startOnTerminal(args)
      await refused.type(/End 3 sessions\? \(y\/N\)/, answer)
      expect(await refused.ended).toBe(code)
      expect(refused.shown()).toContain('No session has ended.')
    }
    expect(await store.length()).toBe(3)
    const agreed = startOnTerminal(args)
    await agreed.type(/\(y\/N\)/, 'y\r')
    expect(await agreed.ended).toBe(0)
    expect(await store.length()).toBe(0)
  })

  test('shows how far a migration is, with the time left, and clears the line', async () => {
    const url = join(newFolder(), 'sessions.db')
    const old = await openOld({ format: 'better-sqlite3-session-store', url, namespace: '' })
    after(() => old.close())
    for (let i = 0; i < 600; i++) await saveOld(old, `session-${i}`, makeSession(60_000, {}))
    const flags = ['--from', 'better-sqlite3', '--store', `sqlite:${url}`, '--table', 'app_sessions']
    const terminal = startOnTerminal(['migrate', ...flags])
    expect(await terminal.ended).toBe(0)
    expect(terminal.shown()).toMatch(/\d+ %, \d+ of 600 sessions, \d+ s left/)
    expect(terminal.shown()).toContain('\r\u001B[K600 sessions were moved.')
  })
})
