import assert from 'node:assert/strict'
import type { Driver, ListQuery } from '@session-stores/core'
import { HOUR } from '../common.ts'
import {
  type DriverRule,
  hashUser,
  KEY,
  makeKeys,
  makeSession,
  makeTag,
  makeTombstone,
  put,
  write,
} from './fixture.ts'

const ANN = hashUser('ann')
const BOB = hashUser('bob')

/** After more pages than this, `list` is taken to go round in circles. */
const MAX_PAGES = 50_000

type Query = Omit<ListQuery, 'after'>

/**
 * Returns all pages. The drivers take turns, because the next page of a list may come from another
 * process. `between` runs after each page except the last.
 */
async function listAll(
  drivers: readonly [Driver, Driver],
  query: Query,
  between?: (page: number) => Promise<void>,
): Promise<string[][]> {
  const pages: string[][] = []
  let after: string | undefined
  do {
    const page = await drivers[pages.length % 2]!.list({ ...query, after })
    pages.push(page.keys)
    after = page.next
    assert.ok(pages.length <= MAX_PAGES, `more than ${MAX_PAGES} pages`)
    if (after !== undefined) await between?.(pages.length)
  } while (after !== undefined)
  return pages
}

/**
 * Checks that each of `keys` was named exactly once, and that all other named keys are in `others`.
 */
function assertNamedOnce(pages: string[][], keys: string[], others: string[] = []): void {
  const expected = new Set(keys)
  const named = pages.flat()
  assert.deepEqual(named.filter((key) => expected.has(key)).sort(), keys.toSorted())
  const known = new Set([...keys, ...others])
  assert.deepEqual(
    named.filter((key) => !known.has(key)),
    [],
    'keys that were never written, or of other users',
  )
}

async function putMany(
  driver: Driver,
  now: number,
  keys: string[],
  owner: (i: number) => string | null,
): Promise<void> {
  for (let from = 0; from < keys.length; from += 250)
    await put(
      driver,
      now,
      ...keys.slice(from, from + 250).map((key, i) => makeSession(key, now, { user: owner(from + i) })),
    )
}

/**
 * Makes rules that sessions which live from the first page to the last are named, whatever happens
 * in between.
 */
function makeChangeRules(owner: string | undefined): DriverRule[] {
  const whose = owner === undefined ? '' : 'of-a-user-'
  return [
    {
      id: `contract/list/${whose}is-complete-while-sessions-come-and-go`,
      why: 'While others log in and out, "log me out everywhere" leaves a session open.',
      async check({ a, b, now }) {
        const keys = makeKeys(200)
        // The two kinds alternate in the order of keys, so that each page has some of both.
        const stable = keys.filter((_, i) => i % 2)
        const passing = keys.filter((_, i) => i % 2 === 0)
        const others = [...passing]
        await putMany(a, now, keys, () => ANN)
        const pages = await listAll([a, b], { user: owner, limit: 15 }, async (page) => {
          const gone = passing.splice(0, 10)
          const dead = gone.map((key, i) => makeTombstone(key, now, { expiresAt: i % 2 ? now + HOUR : now }))
          if (dead.length > 0) await put(a, now, ...dead)
          const come = ['-', 'key-000', 'key-0001', 'zz'].map((start) => `${start}-${page}`)
          others.push(...come)
          await put(b, now, ...come.map((key) => makeSession(key, now, { user: ANN })))
        })
        assertNamedOnce(pages, stable, others)
      },
    },
    {
      id: `contract/list/${whose}is-complete-while-sessions-are-used`,
      why: 'The most active session of a user is the one that "log me out everywhere" leaves open.',
      async check({ a, b, now }) {
        const keys = makeKeys(120)
        await putMany(a, now, keys, () => ANN)
        const pages = await listAll([a, b], { user: owner, limit: 15 }, async (page) => {
          // This stops after 8 pages, because a list in the order of use would otherwise never end.
          if (page > 8) return
          const saved = keys.filter((_, i) => i % 8 === page % 8)
          const expiresAt = now + page * 9 * HOUR
          await put(b, now, ...saved.map((key) => makeSession(key, now, { user: ANN, expiresAt })))
          // These deadlines are days apart, so an index by time moves the rows.
          const touched = keys.filter((_, i) => i % 8 === (page + 4) % 8)
          await a.touch(
            touched.map((key) => ({ key, user: ANN, expiresAt: now + page * 30 * HOUR })),
            now,
          )
        })
        assertNamedOnce(pages, keys)
      },
    },
  ]
}

export const lists: DriverRule[] = [
  {
    id: 'contract/list/of-nothing-is-empty',
    why: 'A new installation fails on its first look at its sessions.',
    async check({ a, b }) {
      assert.deepEqual((await listAll([a, b], { limit: 10 })).flat(), [])
      assert.deepEqual((await listAll([a, b], { user: ANN, limit: 10 })).flat(), [])
    },
  },
  {
    id: 'contract/list/names-each-session-once',
    why: 'Sessions are missing from the list, or shown twice.',
    async check({ a, b, now }) {
      const keys = makeKeys(20)
      await putMany(a, now, keys, (i) => (i % 2 ? ANN : null))
      for (const limit of [1, 7, 19, 20, 21, 1000]) assertNamedOnce(await listAll([a, b], { limit }), keys)
    },
  },
  {
    id: 'contract/list/of-a-user-names-each-of-its-sessions-once',
    why: '"Log me out everywhere" leaves a session open.',
    async check({ a, b, now }) {
      const keys = makeKeys(40)
      await putMany(a, now, keys, (i) => [ANN, BOB, null, ANN][i % 4]!)
      const anns = keys.filter((_, i) => i % 4 === 0 || i % 4 === 3)
      for (const limit of [1, 7, 19, 20, 21, 1000])
        assertNamedOnce(await listAll([a, b], { user: ANN, limit }), anns, keys)
    },
  },
  {
    id: 'contract/list/of-2500-comes-in-pages',
    why: 'With many users signed in, the list misses some, or comes as one answer that takes too long.',
    async check({ a, b, now }) {
      const keys = makeKeys(2500)
      await putMany(a, now, keys, (i) => (i % 5 ? ANN : BOB))
      const anns = keys.filter((_, i) => i % 5)
      const all = await listAll([a, b], { limit: 100 })
      assertNamedOnce(all, keys)
      const ofAnn = await listAll([b, a], { user: ANN, limit: 100 })
      assertNamedOnce(ofAnn, anns, keys)
      const longest = Math.max(...[...all, ...ofAnn].map((page) => page.length))
      assert.ok(longest <= 200, `a page of ${longest} is more than about 100`)
    },
  },
  {
    id: 'contract/list/comes-in-large-pages-too',
    why: 'A database that answers in parts of its own size: the list of a busy site ends after the first part.',
    async check({ a, b, now }) {
      const keys = makeKeys(1000)
      await putMany(a, now, keys, () => ANN)
      for (const limit of [101, 300, 999, 1000, 5000])
        for (const owner of [undefined, ANN])
          assertNamedOnce(await listAll([a, b], { user: owner, limit }), keys)
    },
  },
  ...[undefined, ANN].flatMap((owner) => makeChangeRules(owner)),
  {
    id: 'contract/list/goes-on-past-dead-rows',
    why: 'After many logouts, "log me out everywhere" leaves a session open.',
    async check({ a, b, now }) {
      const dead = makeKeys(100, 'dead')
      await put(
        a,
        now,
        ...dead.map((key) => makeTombstone(key, now, { user: ANN, expiresAt: now + 9 * HOUR })),
      )
      const over = makeKeys(100, 'over')
      await putMany(a, now, over, () => ANN)
      const later = now + 2 * HOUR
      const alive = ['aaa', 'ddd', 'nnn', 'zzz'].map((key) => makeSession(key, later, { user: ANN }))
      await put(a, later, ...alive)
      const keys = alive.map(({ key }) => key)
      for (const owner of [undefined, ANN])
        assertNamedOnce(await listAll([a, b], { user: owner, limit: 10 }), keys, [...dead, ...over])
    },
  },
  {
    id: 'contract/list/finds-a-session-after-its-user-changed',
    why: 'Sessions begun before the login are not among those of the user, and cannot be revoked.',
    async check({ a, b, now }) {
      const first = makeSession(KEY, now)
      const second = makeSession(KEY, now, { user: BOB, expect: first.tag })
      await put(a, now, first)
      await put(a, now, second)
      assertNamedOnce(await listAll([b, a], { user: BOB, limit: 10 }), [KEY])
      await put(b, now, makeSession(KEY, now, { user: ANN, expect: second.tag }))
      assertNamedOnce(await listAll([a, b], { user: ANN, limit: 10 }), [KEY])
    },
  },
  {
    id: 'contract/list/finds-a-session-that-was-extended',
    why: 'A session kept alive beyond its first deadline can no longer be revoked.',
    async check({ a, b, now }) {
      const rows = makeKeys(3).map((key) => makeSession(key, now, { user: ANN }))
      await put(a, now, ...rows)
      let time = now
      for (let days = 1; days <= 40; days += 13) {
        const expiresAt = now + days * 24 * HOUR
        await a.touch(
          rows.map(({ key, user }) => ({ key, user, expiresAt })),
          time,
        )
        time = expiresAt - 1
        await b.prune(time, 100)
      }
      const keys = rows.map(({ key }) => key)
      assertNamedOnce(await listAll([a, b], { user: ANN, limit: 10 }), keys)
      assertNamedOnce(await listAll([a, b], { limit: 10 }), keys)
    },
  },
  {
    id: 'contract/list/count-counts-live-sessions',
    why: 'The number of users signed in, and the bill that follows it, is wrong.',
    async check({ a, b, now }) {
      assert.equal(await a.count(now), 0)
      await put(a, now, ...makeKeys(3).map((key) => makeSession(key, now, { expiresAt: now + 3 * HOUR })))
      await put(b, now, makeTombstone('dead', now, { expiresAt: now + 3 * HOUR }))
      await put(
        b,
        now,
        makeSession('expired', now),
        makeSession('expiring-now', now, { expiresAt: now + 2 * HOUR }),
      )
      await put(b, now, makeSession('over', now, { expiresAt: now - HOUR }))
      assert.equal(await a.count(now + 2 * HOUR), 3)
      assert.equal(await b.count(now), 5)
      await put(a, now, makeTombstone('key-000001', now))
      await write(a, now, makeSession('refused', now, { expect: makeTag() }))
      assert.equal(await b.count(now + 2 * HOUR), 2)
      assert.equal(await a.count(now + 3 * HOUR), 0)
    },
  },
  {
    id: 'contract/list/count-of-2500-is-exact',
    why: 'The number of users signed in is wrong as soon as there are many.',
    async check({ a, b, now }) {
      await putMany(a, now, makeKeys(2500), () => null)
      assert.equal(await b.count(now), 2500)
    },
  },
]
