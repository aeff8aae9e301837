import assert from 'node:assert/strict'
import { type DriverRule, HOUR, landAll, newTag, put, read, rowOf, session, user, write } from './fixture.ts'

/** In the languages in which databases are asked. */
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
        const one = session(key, now, { tag: 'other', data: text, user: user('ann') })
        const other = session(key, now, { tag: text, data: text, user: user('ann') })
        await put(a, now, one)
        assert.deepEqual(await write(b, now, { ...other, expect: text }), [], `an update expecting ${text}`)
        assert.deepEqual(await write(b, now, { ...other, expect: '' }), [], `a create by the tag ${text}`)
        assert.deepEqual(await read(a, key), [rowOf(one)])
        await landAll(b, now, { ...other, expect: 'other' })
        assert.deepEqual(await read(a, key), [rowOf(other)])
        const last = session(key, now, { tag: newTag(), data: text, user: user('ann') })
        await b.touch([{ key, user: user('ann'), tag: text, expiresAt: now + 2 * HOUR }], now)
        assert.equal((await read(a, key))[0]?.expiresAt, now + 2 * HOUR, `a touch of the tag ${text}`)
        await landAll(b, now, { ...last, expect: text })
        assert.deepEqual(await read(a, key), [rowOf(last)])
      }
    },
  },
]
