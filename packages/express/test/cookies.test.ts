import { randomFrom } from '@session-stores/testbed/random'
import { expect, it } from 'vitest'
import { onlyCookie, rawCookies } from '../src/http/cookies.ts'

const PARTS = ['sid', 'sid=', 'my', '=', ';', '; ', ' ', '\t', 'a', 's%3Ab.c', '"', 'SID=', ',']

it('the only cookie of a name is the one that is found when the whole header is taken apart', () => {
  const random = randomFrom(20_261_130)
  let [none, one, several] = [0, 0, 0]
  for (let run = 0; run < 200_000; run++) {
    const length = 1 + Math.floor(random() * 8)
    const cookie = Array.from({ length }, () => PARTS[Math.floor(random() * PARTS.length)]).join('')
    const req = { headers: { cookie } }
    const all = rawCookies(req, 'sid')
    if (all.length > 1) {
      several++
      expect(() => onlyCookie(req, 'sid'), cookie).toThrow("two cookies of the name 'sid'")
    } else {
      if (all.length === 0) none++
      else one++
      expect(onlyCookie(req, 'sid'), cookie).toBe(all[0])
    }
  }
  expect(Math.min(none, one, several)).toBeGreaterThan(500)
  expect(onlyCookie({ headers: {} }, 'sid')).toBeUndefined()
})
