import { expect, test } from 'vitest'
import { declarePassport, declarePassportOn } from '../../../packages/express/test/rules/passport.ts'
import { countWrites, openBrowser, send, serve } from '../../../packages/express/test/support/site.ts'
import { openInMemory } from '../../../packages/token/test/support/databases.ts'
import { fastifyPassport, ownFlow } from '../src/sites/fastify-passport.ts'
import { databases } from '../src/sites/index.ts'
import { koaPassport } from '../src/sites/koa-passport.ts'

for (const host of [koaPassport, fastifyPassport]) {
  declarePassport(host)
  declarePassportOn(host, databases)
}

test('@fastify/passport as it is: a new id and one write for a login, and one for a logout', async () => {
  const store = openInMemory({ user: ownFlow.userOf })
  const origin = await serve(await ownFlow.open({ store, state: { serializes: true } }))
  const browser = openBrowser(origin)
  await browser.post('/cart?item=book')
  const planted = browser.cookieFor(origin)
  await browser.post('/login', { username: 'ada', password: 'right' })
  const cookie = browser.cookieFor(origin)
  expect(cookie).not.toBe(planted)
  expect(JSON.parse((await send(origin, { headers: { cookie: planted } })).body).user).toBeNull()
  const other = openBrowser(origin)
  expect(await countWrites(() => other.post('/login', { username: 'ada', password: 'right' }))).toBe(1)
  expect((await store.list({ user: 'ada' })).sessions).toHaveLength(2)
  let cookies: string[] = []
  const logOut = async () => {
    cookies = (await send(`${origin}/logout`, { method: 'POST', headers: { cookie } })).cookies
  }
  expect(await countWrites(logOut)).toBe(1)
  expect(cookies).toEqual([expect.stringMatching(/^__Host-sid=; Path=\/; Expires=Thu, 01 Jan 1970/)])
  expect(await store.length()).toBe(1)
})
