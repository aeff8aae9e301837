import { postgresProcess } from '@session-stores/testbed'
import { after, describeWith, startRelay } from '@session-stores/testbed/vitest'
import { expect, it } from 'vitest'
import { PostgresStore } from '../src/index.ts'

/** Returns a message of the protocol, whatever its body. */
function toMessage(type: string, body: readonly number[]): Buffer {
  const head = Buffer.from(`${type}....`)
  head.writeInt32BE(4 + body.length, 1)
  return Buffer.concat([head, Buffer.from(body)])
}

const garbage: Record<string, Buffer> = {
  'a row that ends before its values': toMessage('D', [0, 3, 0, 0]),
  'a row of nothing': toMessage('D', []),
  'the data of a copy': toMessage('d', [1, 2, 3]),
  'a notification without a text': toMessage('A', []),
  'a question for a password': toMessage('R', [0, 0, 0, 5]),
  'an end of a statement': toMessage('C', []),
  'an unknown message': toMessage('?', [1]),
  'text of another protocol': Buffer.from('HTTP/1.1 502 Bad Gateway\r\n\r\n'),
}

describeWith('a connection on which garbage comes', postgresProcess, (server) => {
  // An error that nobody can catch fails the whole run.
  it.each(
    Object.entries(garbage).flatMap(([name, bytes]) =>
      ['before', 'after'].map((place) => [name, place, bytes] as const),
    ),
  )('does not end the process: %s, %s an answer', async (_name, place, bytes) => {
    const relay = await startRelay(server.port)
    const url = relay.through(server.url)
    const store = new PostgresStore({ url, pruneInterval: false, operationTimeout: 2000 })
    after(() => store.close())
    await store.set('the-id', { cookie: { originalMaxAge: null }, name: 'Ada' } as never)
    let added = 0
    relay.change = (sent) => {
      if (added++ > 0) return sent
      return Buffer.concat(place === 'before' ? [bytes, sent] : [sent, bytes])
    }
    const first = await store.get('the-id').catch(({ code }) => code)
    if (typeof first === 'string') expect(first).toMatch(/^(UNAVAILABLE|TIMEOUT|BACKEND)$/)
    expect(added).toBeGreaterThan(0)
    const read = () => store.get('the-id').catch(({ code }) => code)
    await expect.poll(read).toMatchObject({ name: 'Ada' })
  })
})
