import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import { servers, storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

/** A password with characters that must be encoded in a URL. */
const PASSWORD = 'hunter2 /#?%25@[:é'
const folder = mkdtempSync(join(tmpdir(), 'socket-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe.each(servers)('%s', (name, start) => {
  const socket = join(folder, name)
  const args = ['--unixsocket', socket, '--unixsocketperm', '777']

  describeWith(
    'a server with a socket',
    () => start({ args }),
    ({ url }) => {
      const observer = new Redis(url, { db: 3 })
      afterAll(() => observer.disconnect())
      const { host } = new URL(url)

      it.each([
        ['of a host and a database', `redis://${host}/3`],
        ['without a scheme', `//${host}/3`],
        ['that is a host alone', `${host}?db=3`],
        ['that is the path of a socket', `${socket}?db=3`],
      ])('a URL %s is taken', async (_, form) => {
        const store = storeOf({ url: form })
        await store.set('the-id', plain())
        expect(await observer.dbsize()).toBe(1)
        await observer.flushdb()
      })
    },
  )

  describeWith(
    'a server with a password',
    () => start({ password: PASSWORD }),
    ({ url }) => {
      it('a URL with a password that must be encoded is taken', async () => {
        await storeOf({ url }).ping()
        await storeOf({ url: url.replace('//:', '//default:') }).ping()
      })
    },
  )
})
