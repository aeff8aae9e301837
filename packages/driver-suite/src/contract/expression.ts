import assert from 'node:assert/strict'
import { HOUR } from '../common.ts'
import {
  type DriverRule,
  hashUser,
  landAll,
  makeSession,
  makeTag,
  put,
  read,
  toRow,
  write,
} from './fixture.ts'

/** Texts that are expressions in the query languages of databases. */
const texts = [
  ...['$tag', '$$ROOT', '$$REMOVE', '$_id', '$where', '{"$gt":""}', '{"$ne":null}'],
  ...["'||tag||'", "'--", '"tag"', 'NULL', '$1', '?1', '@tag'],
  ...['.*', '%', '*', '[^a]', '%S+', '")', 'nil', 'KEYS[1]'],
]

export const expressions: DriverRule[] = [
  {
    id: 'contract/expression/text-that-reads-like-an-expression-is-text',
    why: 'Whoever chooses an id, or what a session holds, tells the database what to do.',
    async check({ a, b, now }) {
      for (const [i, text] of texts.entries()) {
        const key = `${String(i).padStart(2, '0')}${text}`
        const one = makeSession(key, now, { tag: 'other', data: text, user: hashUser('ann') })
        const other = makeSession(key, now, { tag: text, data: text, user: hashUser('ann') })
        await put(a, now, one)
        assert.deepEqual(await write(b, now, { ...other, expect: text }), [], `an update expecting ${text}`)
        assert.deepEqual(await write(b, now, { ...other, expect: '' }), [], `a create by the tag ${text}`)
        assert.deepEqual(await read(a, key), [toRow(one)])
        await landAll(b, now, { ...other, expect: 'other' })
        assert.deepEqual(await read(a, key), [toRow(other)])
        const last = makeSession(key, now, { tag: makeTag(), data: text, user: hashUser('ann') })
        await b.touch([{ key, user: hashUser('ann'), tag: text, expiresAt: now + 2 * HOUR }], now)
        assert.equal((await read(a, key))[0]?.expiresAt, now + 2 * HOUR, `a touch of the tag ${text}`)
        await landAll(b, now, { ...last, expect: text })
        assert.deepEqual(await read(a, key), [toRow(last)])
      }
    },
  },
]
