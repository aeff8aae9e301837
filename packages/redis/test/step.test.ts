import { redisProcess } from '@session-stores/testbed'
import { after, describeWith, type Relay, startRelay } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import type { RedisOptions } from '../src/index.ts'
import { lend, libraries } from './support/lent.ts'
import { storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

const codeOf = ({ code }: { code?: string }) => code
let tests = 0
const ids = Array.from({ length: 40 }, (_, i) => `id-${i}`)

const clients: Record<string, (url: string) => RedisOptions> = {
  'of its own': (url) => ({ url }),
}
for (const library of libraries)
  clients[`of ${library} that was lent`] = (url) => {
    const { client, close } = lend(library, { url })
    after(close)
    return { client }
  }

describeWith('a connection that delivers one reply twice', redisProcess, ({ port, url }) => {
  /** From now on, each command on this connection gets the reply to the command before. */
  function shift(relay: Relay): void {
    const { made } = relay
    let before: Buffer | undefined
    relay.change = (sent) => {
      if (relay.made !== made) return sent
      const reply = before ?? sent
      before = sent
      return reply
    }
  }

  describe.each(Object.entries(clients))('of a client %s', (_, optionsOf) => {
    it.each([true, false])('gives no request the session of another one (hashIds: %s)', async (hashIds) => {
      const relay = await startRelay(port)
      const store = storeOf({ ...optionsOf(relay.through(url)), hashIds, prefix: `test${++tests}:` })
      for (const id of ids) await store.set(id, plain({ id }))
      const { made } = relay
      shift(relay)
      const answers: (string | undefined)[] = []
      for (const id of ids)
        answers.push(
          await store.get(id).then((session) => {
            expect(session).toMatchObject({ id })
            return 'own'
          }, codeOf),
        )
      expect(answers).toContain('UNAVAILABLE')
      expect(answers.filter((answer) => answer === 'own').length).toBeGreaterThan(ids.length / 2)
      expect(new Set(answers)).toEqual(new Set(['own', 'UNAVAILABLE']))
      expect(relay.made).toBe(made + 1)
    })

    it('gives no save the reply of another one', async () => {
      const relay = await startRelay(port)
      const store = storeOf({ ...optionsOf(relay.through(url)), onGone: 'error', prefix: `test${++tests}:` })
      for (const id of ids) await store.set(id, plain({ id }))
      shift(relay)
      const answers: (string | undefined)[] = []
      for (const id of ids) answers.push(await store.touch(id, plain({ id })).then(() => 'done', codeOf))
      for (const id of ids) answers.push(await store.destroy(id).then(() => 'done', codeOf))
      expect(answers.filter((answer) => answer === 'UNAVAILABLE').length).toBeGreaterThan(0)
      expect(answers.filter((answer) => answer === 'UNAVAILABLE').length).toBeLessThan(5)
      // A logout that succeeded has ended its session.
      const left = await vi.waitFor(() => Promise.all(ids.map((id) => store.get(id))))
      for (const [i, session] of left.entries())
        if (session !== null) expect(answers[ids.length + i]).toBe('UNAVAILABLE')
    })
  })
})

describeWith('a connection that gives answers to nothing', redisProcess, ({ port, url }) => {
  // An error that nobody can catch fails the whole run.
  it.each(
    Object.entries(clients).flatMap(([name, optionsOf]) =>
      ['$-1\r\n$-1\r\n', '_\r\n_\r\n', '+OK\r\n', '-ERR no\r\n'].map(
        (answer) => [name, JSON.stringify(answer), optionsOf, answer] as const,
      ),
    ),
  )('does not end the process of a client %s (%s)', async (_name, _text, optionsOf, answer) => {
    const relay = await startRelay(port)
    const store = storeOf({ ...optionsOf(relay.through(url)), prefix: `test${++tests}:` })
    await store.set('the-id', plain({ name: 'Ada' }))
    let added = 0
    relay.change = (sent) => {
      if (added++ > 0) return sent
      return Buffer.concat([sent, Buffer.from(answer)])
    }
    await store.get('the-id').catch((error) => expect(error.code).toBe('UNAVAILABLE'))
    expect(added).toBeGreaterThan(0)
    await expect.poll(() => store.get('the-id').catch(codeOf)).toMatchObject({ name: 'Ada' })
  })
})
