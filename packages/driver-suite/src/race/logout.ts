import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { SessionStore } from '@session-stores/core'
import {
  fresh,
  load,
  type RequestSession,
  read,
  ruleOf,
  type StoreRule,
  type Stores,
  save,
} from '../policy/fixture.ts'
import { LATE, type Late, randomOf } from './late.ts'

/** A slow request reads the session, another one ends it, the slow one saves: in every order, many at once. */

const ROUNDS = 5
const AT_ONCE = 500

/** Ends the session, as a request does. */
type Logout = (store: SessionStore, id: string) => Promise<unknown>

const destroy: Logout = (store, id) => store.destroy(id)

/** Ends the session and begins another one, `after(id)`. */
const regenerate: Logout = async (store, id) => {
  const request: { sessionID: string; session?: RequestSession } = { sessionID: id }
  await new Promise<void>((resolve, reject) => {
    store.regenerate(request as never, (error) => (error ? reject(error) : resolve()))
  })
  await save(request.session!)
}

const after = (id: string): string => `${id}-regenerated`

/** As the middleware sets it. */
function generate(store: SessionStore): void {
  Object.assign(store, {
    generate(request: { sessionID: string; session?: RequestSession }) {
      request.sessionID = after(request.sessionID)
      request.session = fresh(store, request.sessionID, { name: 'Ada' })
    },
  })
}

interface Plan {
  id: string
  /** Who reads and saves late, and who ends the session. */
  slow: SessionStore
  quick: SessionStore
  /** `0`: at once, after some turns of the event loop each; `1`: the save is sent first; `2`: when the logout is answered. */
  order: number
  turns: [slow: number, quick: number]
}

/** Fulfils with what the seed was, and how many sessions were there at the end that should not, or were not that should. */
async function race(stores: Stores, late: Late, logout: Logout): Promise<void> {
  const seed = Number(process.env.SESSION_STORES_SEED ?? randomInt(2 ** 31))
  const random = randomOf(seed)
  const both = [stores.one(), stores.other()] as const
  both.forEach(generate)
  let revived = 0
  let lost = 0
  for (let round = 0; round < ROUNDS; round++) {
    const plans = Array.from({ length: AT_ONCE }, (_, i): Plan => {
      const [slow, quick] = [both[random(2)]!, both[random(2)]!]
      return { id: `${round}-${i}`, slow, quick, order: random(3), turns: [random(4), random(4)] }
    })
    await Promise.all(plans.map(({ id, quick }) => save(fresh(quick, id, { name: 'Ada' }))))
    await Promise.all(plans.map((plan) => play(plan, late, logout)))
    await Promise.all(
      plans.map(async ({ id, slow, quick }) => {
        if ((await read(slow, id)) !== null || (await read(quick, id)) !== null) revived++
        if (logout === regenerate && (await read(slow, after(id)))?.name !== 'Ada') lost++
      }),
    )
    assert.equal(
      await both[0].length(),
      logout === regenerate ? AT_ONCE - lost : revived,
      'how many are live',
    )
    await both[0].clear()
  }
  const seedHint = `set SESSION_STORES_SEED=${seed} to repeat it`
  assert.equal(revived, 0, `sessions came back after they were ended; ${seedHint}`)
  assert.equal(lost, 0, `regenerated sessions were lost; ${seedHint}`)
}

async function play({ id, slow, quick, order, turns }: Plan, late: Late, logout: Logout): Promise<void> {
  const session = await load(slow, id)
  const saveLate = () =>
    late(slow, id, session).catch((error) => {
      if (error.code !== 'GONE') throw error
    })
  const wait = async (count: number) => {
    for (let i = 0; i < count; i++) await turn()
  }
  if (order === 2) {
    await logout(quick, id)
    await saveLate()
    return
  }
  if (order === 1) turns[0] = 0
  await Promise.all([wait(turns[0]).then(saveLate), wait(turns[1]).then(() => logout(quick, id))])
}

const rule = ruleOf('race/logout')

const why =
  'Who has logged out is logged in again: whoever stole the cookie, or sits down at the computer next, goes on.'

export const logouts: StoreRule[] = Object.entries(LATE).flatMap(([name, late]) => [
  rule(`destroy-is-final-beside-a-${name}`, why, (stores) => race(stores, late, destroy)),
  rule(`regenerate-is-final-beside-a-${name}`, why, (stores) => race(stores, late, regenerate)),
])
