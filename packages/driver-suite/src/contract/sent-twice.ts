import assert from 'node:assert/strict'
import type { Driver, Write } from '@session-stores/core'
import { HOUR } from '../common.ts'
import { type DriverRule, KEY, landAll, makeSession, makeTombstone, put, read, write } from './fixture.ts'

/** Rules about a write that is resent because its reply was lost. */

/** The writes that are sent twice. `expects` says what must exist before the first of the two. */
const twice: Record<string, { expects: 'nothing' | 'row' | 'no row'; extend?: true; data?: null }> = {
  create: { expects: 'no row' },
  update: { expects: 'row' },
  'extending-update': { expects: 'row', extend: true },
  tombstone: { expects: 'nothing', data: null },
  'conditional-tombstone': { expects: 'row', data: null },
}

/** Writes the row that the write expects, and returns the write without making it. */
async function prepare(
  driver: Driver,
  now: number,
  { expects, ...more }: (typeof twice)[string],
): Promise<Write> {
  if (expects === 'no row') return makeSession(KEY, now, more)
  const before = makeSession(KEY, now - 1)
  await put(driver, now - 1, before)
  return makeSession(KEY, now, { ...more, expect: expects === 'row' ? before.tag : undefined })
}

export const sentTwice: DriverRule[] = [
  ...Object.entries(twice).map(
    ([verb, kind]): DriverRule => ({
      id: `contract/sent-twice/${verb}-sent-twice-changes-nothing`,
      why: 'A call sent again after a lost reply is reported as a conflict, or changes what it wrote.',
      async check({ a, b, now }) {
        const again = await prepare(a, now, kind)
        await landAll(a, now, again)
        const once = await read(b, KEY)
        await landAll(b, now + 1, again)
        assert.deepEqual(await read(a, KEY), once)
      },
    }),
  ),
  ...Object.entries(twice)
    .filter(([, { data }]) => data !== null)
    .map(
      ([verb, kind]): DriverRule => ({
        id: `contract/sent-twice/${verb}-sent-twice-leaves-a-touched-deadline`,
        why: 'A save sent again after a lost reply undoes how another request extended or ended the session.',
        async check({ a, b, now }) {
          const again = await prepare(a, now, kind)
          await landAll(a, now, again)
          for (const expiresAt of [now + 9 * HOUR, now + HOUR / 2]) {
            await b.touch([{ key: KEY, user: null, expiresAt }], now)
            const touched = await read(b, KEY)
            assert.equal(touched[0]?.expiresAt, expiresAt)
            await landAll(a, now + 1, again)
            assert.deepEqual(await read(b, KEY), touched)
          }
        },
      }),
    ),
  ...Object.entries(twice)
    .filter(([, { expects }]) => expects !== 'nothing')
    .map(
      ([verb, kind]): DriverRule => ({
        id: `contract/sent-twice/${verb}-sent-twice-leaves-what-another-wrote`,
        why: 'A write sent again after a lost reply overwrites what another request saved meanwhile.',
        async check({ a, b, now }) {
          const again = await prepare(a, now, kind)
          await landAll(a, now, again)
          const next = makeSession(KEY, now + 1, { expect: again.tag })
          await landAll(b, now + 1, next)
          const saved = await read(b, KEY)
          assert.deepEqual(await write(a, now + 2, again), [], 'it is refused')
          assert.deepEqual(await read(b, KEY), saved)
          await landAll(b, now + 3, makeTombstone(KEY, now + 3))
          const destroyed = await read(b, KEY)
          assert.deepEqual(await write(a, now + 4, again), [], 'it is refused after the logout')
          assert.deepEqual(await read(b, KEY), destroyed)
        },
      }),
    ),
]
