import { hash } from 'node:crypto'

/**
 * A session's string: a head of fixed places, then the payload.
 *
 *     1 expiresAt(16) createdAt(16) kind(1) tag ' ' user ' ' data
 *     ^ version; places 2-17; 18-33; 34: s(ession), t(ombstone); tag from 35, of at most 32; user may be empty
 *
 * Times are 16 digits, so that Lua compares them as text and a touch overwrites one in place.
 * A ttl of 0 is a deadline that is past: the row goes. Every script takes `KEYS` one a row, and `ARGV`: what they share, then each row's own. It returns the numbers
 * of the rows that it is about.
 */
export interface Script {
  readonly source: string
  readonly sha: string
}

const script = (source: string): Script => ({ source, sha: hash('sha1', source) })

/** ARGV: now, then (`*` upsert, `!` tombstone, `` create or `=` and the tag expected; tag; ttl; value) a row. Returns the rows that landed. */
export const WRITE: Script = script(`
local now, landed = ARGV[1], {}
for i, key in ipairs(KEYS) do
  local at = i * 4 - 2
  local expect, value, lands = ARGV[at], ARGV[at + 3], true
  if expect ~= '!' then
    local head = redis.pcall('GETRANGE', key, 0, 66)
    if type(head) ~= 'string' or string.sub(head, 1, 1) ~= '1' or string.sub(head, 2, 17) <= now then
      lands = expect == '*' or expect == ''
    elseif string.sub(head, 34, 34) == 't' then
      lands = expect == ''
    else
      local tag = string.sub(head, 35, string.find(head, ' ', 35, true) - 1)
      lands = expect == '*' or '=' .. tag == expect or tag == ARGV[at + 1]
      local created = string.sub(head, 18, 33)
      if lands and created ~= string.sub(value, 18, 33) then
        value = string.sub(value, 1, 17) .. created .. string.sub(value, 34)
      end
    end
  end
  if lands then
    if ARGV[at + 2] == '0' then
      redis.call('DEL', key)
    else
      redis.call('SET', key, value, 'PX', ARGV[at + 2])
    end
    landed[#landed + 1] = i
  end
end
return landed`)

/**
 * ARGV: now, whether the index is up to date, then (deadline, ttl, begin of the deadline's span or '') a row.
 * Leaves the rows alone whose deadline would enter a span that the index may not cover yet, and returns them.
 */
export const TOUCH: Script = script(`
local now, indexed, crossing = ARGV[1], ARGV[2] == '1', {}
for i, key in ipairs(KEYS) do
  local at = i * 3
  local head = redis.pcall('GETRANGE', key, 0, 33)
  if type(head) == 'string' and string.sub(head, 1, 1) == '1' and string.sub(head, 34) == 's' then
    local expires = string.sub(head, 2, 17)
    if expires > now then
      if ARGV[at + 1] == '0' then
        redis.call('DEL', key)
      elseif not indexed and expires < ARGV[at + 2] then
        crossing[#crossing + 1] = i
      else
        redis.call('SETRANGE', key, 1, ARGV[at])
        redis.call('PEXPIRE', key, ARGV[at + 1])
      end
    end
  end
end
return crossing`)

/** ARGV: the score that is past, then (session key, score, ttl) a row; KEYS are the indexes of the users. */
export const INDEX: Script = script(`
for i, key in ipairs(KEYS) do
  local at = i * 3 - 1
  redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. ARGV[1])
  redis.call('ZADD', key, 'GT', ARGV[at + 1], ARGV[at])
  if redis.call('PTTL', key) < tonumber(ARGV[at + 2]) then
    redis.call('PEXPIRE', key, ARGV[at + 2])
  end
end
return {}`)
