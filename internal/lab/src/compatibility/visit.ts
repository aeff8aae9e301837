import assert from 'node:assert/strict'
import type { SessionStore } from '@session-stores/core'

/**
 * Signs in, sends twenty parallel requests, lists the sessions of the user, and signs out. The
 * session must hold exactly what these requests stored, besides the keys in `added`.
 */
export async function visit(
  origin: string,
  store: SessionStore,
  added: readonly string[] = [],
): Promise<void> {
  let cookie = ''
  async function request(path: string, method: 'GET' | 'POST'): Promise<string> {
    const response = await fetch(origin + path, { method, headers: cookie === '' ? {} : { cookie } })
    const body = await response.text()
    assert.equal(response.status, 200, body)
    const [set] = response.headers.getSetCookie()
    if (set !== undefined) cookie = set.split(';', 1)[0]!
    return body
  }
  await request('/login', 'POST')
  const keys = Array.from({ length: 20 }, (_, i) => `key-${i}`)
  await Promise.all(keys.map((key) => request(`/keys/${key}`, 'POST')))
  const data = { userId: 'ada', ...Object.fromEntries(keys.map((key) => [key, 'saved'])) }
  assert.deepEqual(omit(JSON.parse(await request('/', 'GET')), added), data)

  const { sessions } = await store.list({ user: 'ada' })
  assert.equal(sessions.length, 1)
  assert.deepEqual(omit({ ...sessions[0]!.session }, ['cookie', ...added]), data)

  await request('/logout', 'POST')
  assert.deepEqual((await store.list({ user: 'ada' })).sessions, [])
  assert.deepEqual(JSON.parse(await request('/', 'GET')), {})
  assert.equal(await store.length(), 0)
}

const omit = (data: object, keys: readonly string[]): object =>
  Object.fromEntries(Object.entries(data).filter(([key]) => !keys.includes(key)))
