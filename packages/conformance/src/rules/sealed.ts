import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import type { Data } from '../engine/subject.ts'
import { expectData, ID } from './shared.ts'

/** 32 random bytes each, because some stores refuse keys that are obviously not random. */
const ONE = '0c66d6b04f8a3ee99e5d1f07c1a2b8479d30e2f5a86b14c7f3825e6dd917ab3c'
const OTHER = 'e1947b2da05fc38661b9ef4a728d03d5f61c8ea73b9240df15e7c26893abf04d'

const SAME = { options: { secrets: [ONE, ONE] }, needs: ['secrets', 'second'] } as const
const APART = { options: { secrets: [ONE, OTHER] }, needs: ['secrets', 'second'] } as const

/**
 * Turns an error into `undefined`, because a store may answer with either to what it cannot open.
 */
const readOrNothing = (read: Promise<Data | undefined>): Promise<Data | undefined> =>
  read.catch(() => undefined)

/** Rules about stores that encrypt sessions. */
export const sealed: readonly Rule[] = [
  {
    id: 'sealed/same-secret-opens',
    title: 'what a store encrypted another with the same secret reads',
    level: 'must',
    why: 'Behind a balancer, and after every restart, everybody is logged out.',
    ...SAME,
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      expectData(await second.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'sealed/another-secret-opens-nothing',
    title: 'a read with another secret calls back, and gives nothing of it',
    level: 'must',
    why: 'What is said to be encrypted is not: whoever has a copy of the database reads it.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/Cryptographic_Storage_Cheat_Sheet.html',
    ...APART,
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      assert.equal(await readOrNothing(second.data(ID)), undefined)
    },
  },
  {
    id: 'sealed/another-secret-is-told',
    title: 'to read what another secret encrypted is an error, and ends nothing',
    level: 'should',
    why: 'With a wrong secret in the settings everybody is logged out for good, without a word.',
    ...APART,
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      await assert.rejects(second.get(ID))
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'sealed/changed-record-opens-nothing',
    title:
      'a read of an encrypted session that somebody changed in the database calls back, and gives nothing of it',
    level: 'must',
    why: 'Who can write to the database, and does not know the secret, makes himself another user.',
    options: SAME.options,
    needs: ['secrets', 'corrupt'],
    async check({ store, session, backend }) {
      await store.set(ID, session({ name: 'Ada' }))
      await backend.corrupt(ID)
      assert.equal(await readOrNothing(store.data(ID)), undefined)
    },
  },
  {
    id: 'sealed/moved-record-opens-nothing',
    title: 'an encrypted session that somebody put in the place of another cannot be read there',
    level: 'should',
    why: 'Who can write to the database, and does not know the secret, takes over the session of an administrator.',
    source: 'https://www.rfc-editor.org/rfc/rfc5116#section-2.1',
    options: SAME.options,
    needs: ['secrets', 'move'],
    async check({ store, session, backend }) {
      await store.set('mine', session({ name: 'Eve' }))
      await store.set('theirs', session({ name: 'Ada', admin: true }))
      await backend.move('theirs', 'mine')
      const found = await readOrNothing(store.data('mine'))
      assert.equal(found?.admin, undefined)
    },
  },
]
