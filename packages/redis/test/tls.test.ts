import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { createServer } from 'node:tls'
import { redisProcess, selfSigned } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { afterAll, expect, it } from 'vitest'
import { start, storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

function certificateOf(folder: string): { cert: Buffer; key: Buffer } {
  const { cert, key } = selfSigned(folder)
  return { cert: readFileSync(cert), key: readFileSync(key) }
}

describeWith('Redis behind TLS', redisProcess, async (server) => {
  const certificate = certificateOf(server.folder)
  // The proxy speaks TLS, because not every build of Redis or Valkey does.
  const proxy = createServer(certificate, (socket) => {
    const inner = connect(server.port, '127.0.0.1')
    socket.on('error', () => inner.destroy()).pipe(inner)
    inner.on('error', () => socket.destroy()).pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  afterAll(() => proxy.close())
  const url = `rediss://127.0.0.1:${(proxy.address() as AddressInfo).port}`

  it('is trusted with the certificate of its authority', async () => {
    const store = storeOf({ url, tls: { ca: certificate.cert } })
    await store.set('the-id', plain({ name: 'Ada' }))
    expect(await store.get('the-id')).toMatchObject({ name: 'Ada' })
  })

  it('is refused without the certificate, and the error says why', async () => {
    const store = storeOf({ url })
    await expect(store.get('the-id')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
  })

  it('is BACKEND with TLS options that Node refuses, because that is no outage', async () => {
    const store = storeOf({ url, tls: { minVersion: 'TLSv9' as 'TLSv1.3' } })
    await expect(store.get('the-id')).rejects.toMatchObject({ code: 'BACKEND', cause: { name: 'TypeError' } })
  })

  it('is UNAVAILABLE for a client without TLS', async () => {
    const store = storeOf({ url: url.replace('rediss:', 'redis:') })
    await expect(store.get('the-id')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('keeps no process alive', async () => {
    const { ended } = start('use-tls', url)
    expect(await ended).toMatch("name: 'Ada'")
  })
})
