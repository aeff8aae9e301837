import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { SessionStore } from '@session-stores/core'
import { prefixRules, type StoreRule, type Stores } from '../policy/fixture.ts'
import { load, makeFresh, type RequestSession, read, save } from '../policy/sessions.ts'
import { AT_ONCE, LATE_CALLS, type LateCall, ROUNDS, seedRandom, WHY } from './late.ts'

/**
 * A slow request reads a session, another one ends it, and the slow one saves it: in every order,
 * many at once.
 */

/** Ends a session as a request does. */
type Logout = (store: SessionStore, id: string) => Promise<unknown>

const destroy: Logout = (store, id) => store.destroy(id)

/** Ends the session and begins a new one, whose id is `toNextId(id)`. */
const regenerate: Logout = async (store, id) => {
  const request: { sessionID: string; session?: RequestSession } = { sessionID: id }
  await new Promise<void>((resolve, reject) => {
    store.regenerate(request as never, (error) => (error ? reject(error) : resolve()))
  })
  await save(request.session!)
}

const toNextId = (id: string): string => `${id}-regenerated`

/** Sets `generate` on the store, as the middleware does. */
function setGenerate(store: SessionStore): void {
  Object.assign(store, {
    generate(request: { sessionID: string; session?: RequestSession }) {
      request.sessionID = toNextId(request.sessionID)
      request.session = makeFresh(store, request.sessionID, { name: 'Ada' })
    },
  })
}

interface Plan {
  id: string
  /** The store of the request that reads and saves late. */
  slow: SessionStore
  /** The store of the request that ends the session. */
  quick: SessionStore
  /**
   * `0`: both requests begin after some turns of the event loop. `1`: the late save is sent at
   * once. `2`: it is sent when the logout has been answered.
   */
  order: 0 | 1 | 2
  /** For how many turns of the event loop each request waits. */
  turns: [slow: number, quick: number]
}

/**
 * Plays many random plans, and checks that no ended session is there at the end, and that every
 * regenerated one is. The seed is in the message of a failure.
 */
async function race(stores: Stores, late: LateCall, logout: Logout): Promise<void> {
  const seed = Number(process.env.SESSION_STORES_SEED ?? randomInt(2 ** 31))
  const random = seedRandom(seed)
  const both = [stores.open(), stores.openOther()] as const
  both.forEach(setGenerate)
  let revived = 0
  let lost = 0
  for (let round = 0; round < ROUNDS; round++) {
    const plans = Array.from({ length: AT_ONCE }, (_, i): Plan => {
      const [slow, quick] = [both[random(2)]!, both[random(2)]!]
      return {
        id: `${round}-${i}`,
        slow,
        quick,
        order: random(3) as Plan['order'],
        turns: [random(4), random(4)],
      }
    })
    await Promise.all(plans.map(({ id, quick }) => save(makeFresh(quick, id, { name: 'Ada' }))))
    await Promise.all(plans.map((plan) => play(plan, late, logout)))
    await Promise.all(
      plans.map(async ({ id, slow, quick }) => {
        if ((await read(slow, id)) !== null || (await read(quick, id)) !== null) revived++
        if (logout === regenerate && (await read(slow, toNextId(id)))?.name !== 'Ada') lost++
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

async function play({ id, slow, quick, order, turns }: Plan, late: LateCall, logout: Logout): Promise<void> {
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

const rule = prefixRules('race/logout')

export const logouts: StoreRule[] = Object.entries(LATE_CALLS).flatMap(([name, late]) => [
  rule(`destroy-is-final-beside-a-${name}`, WHY, (stores) => race(stores, late, destroy)),
  rule(`regenerate-is-final-beside-a-${name}`, WHY, (stores) => race(stores, late, regenerate)),
])
