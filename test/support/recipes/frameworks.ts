import { expect, test } from 'vitest'
import type { Page } from '../pages.ts'
import { type Server, start } from '../program.ts'

const user = (name: string | null) => ({ status: 200, body: { user: name } })
const form = { name: 'ada', password: 'correct horse' }

/** Signs in and out at the server of a page. */
async function signInAndOut({ ask }: Server): Promise<void> {
  expect(await ask('/')).toEqual(user(null))
  expect((await ask('/sign-in', form)).status).toBeOneOf([302, 303])
  expect(await ask('/')).toEqual(user('ada'))
  expect((await ask('/sign-out', {})).status).toBeOneOf([302, 303])
  expect(await ask('/')).toEqual(user(null))
}

/** Declares the tests of docs/recipes/express.md. */
export function testExpress({ folder }: Page): void {
  test('signs in and out, and refuses a wrong password', async () => {
    await using server = await start(folder)
    expect((await server.ask('/sign-in', { ...form, password: 'wrong' })).status).toBe(401)
    await signInAndOut(server)
  })

  test('gives another id at the sign-in', async () => {
    await using server = await start(folder)
    await server.ask('/sign-in', form)
    const first = server.cookie
    await server.ask('/sign-in', form)
    expect(server.cookie).not.toBe(first)
    expect((await server.ask('/', undefined, { cookie: first })).body).toEqual({ user: null })
  })
}

/** Declares the tests of docs/recipes/koa.md. */
export function testKoa({ folder }: Page): void {
  test('signs in and out', async () => {
    await using server = await start(folder)
    await signInAndOut(server)
    expect((await server.ask('/nothing')).status).toBe(404)
  })
}

/** Declares the tests of docs/recipes/fastify.md. */
export function testFastify({ folder }: Page): void {
  test('signs in and out, and protects a route', async () => {
    await using server = await start(folder)
    expect((await server.ask('/account')).status).toBe(401)
    await server.ask('/sign-in', form)
    expect((await server.ask('/account')).status).toBe(200)
    await server.ask('/sign-out', {})
    await signInAndOut(server)
  })
}
