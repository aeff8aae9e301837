import { hash } from 'node:crypto'

/**
 * Takes `KEYS` one a row, and `ARGV`: what the rows share, then what each has of its own. Returns the numbers of
 * the rows that it is about.
 *
 * Where memory is full (maxmemory), Redis lets a script go on whose first write needs none: so a script that
 * frees memory, or changes no length, begins with such a write, or with one that may fail and then such a write.
 * Logouts and touches go on then.
 */
export interface Script {
  readonly source: string
  /** Without it the script is sent whole each time, and so never has to be sent again. */
  readonly sha?: string
}

/** A key outlives its deadline by at least this, in milliseconds: core judges expiry, and clocks of processes differ. */
export const MARGIN = 30_000
/** The end of a key's life moves only when its deadline enters the next of these spans, in milliseconds. */
export const STEP = 30_000
/** Index entries move only when a deadline enters the next of these spans, in milliseconds. */
export const SPAN = 3_600_000

/** A session's string up to the place `last` (see `row.ts`), nothing where there is none. Numbers would be printed each time. */
const HEAD = `
local call, sub = redis.call, string.sub
local function head(key, last)
  local text = redis.pcall('GETRANGE', key, '0', last)
  if type(text) == 'string' and sub(text, 1, 1) == '1' then return text end
end
`

const script = (source: string): Script => ({ source, sha: hash('sha1', source) })

/**
 * ARGV: now; then what is expected (`*` upsert, `!` tombstone, nothing create, or `=` and a tag), ttl and value of
 * each row. A ttl of 0 is a deadline that is past: the row goes. Returns the rows that landed.
 */
export const WRITE: Script = script(`${HEAD}
local now, landed = ARGV[1], {}
for i, key in ipairs(KEYS) do
  local expect, ttl, value, lands = ARGV[i * 3 - 1], ARGV[i * 3], ARGV[i * 3 + 1], true
  if expect == '!' then
    call('UNLINK', key)
  else
    local old = head(key, '66')
    local kind = old and sub(old, 34, 34)
    -- Where it is neither, the string is somebody else's.
    if (kind ~= 's' and kind ~= 't') or sub(old, 2, 17) <= now then
      lands = expect == '*' or expect == ''
    elseif kind == 't' then
      lands = expect == ''
    else
      local tag = string.match(old, '^%S*', 35)
      lands = expect == '*' or expect == '=' .. tag or string.match(value, '^%S+', 35) == tag
      local created = sub(old, 18, 33)
      if lands and created ~= sub(value, 18, 33) then
        value = sub(value, 1, 17) .. created .. sub(value, 34)
      end
    end
  end
  if lands then
    if ttl == '0' then
      call('UNLINK', key)
    else
      call('SET', key, value, 'PX', ttl)
    end
    landed[#landed + 1] = i
  end
end
return landed`)

/**
 * ARGV: now; then of each row one text (deadline, the earliest deadline whose key lives as long, begin of the deadline's
 * span, the user whose index covers the deadline, if any) and the ttl. A key that lives long enough keeps its ttl.
 * Returns the rows that it left alone, for their index may not cover their new deadline yet.
 */
export const TOUCH: Script = script(`${HEAD}
local function owner(key)
  return string.match(call('GETRANGE', key, '34', '110'), '^%S+ (%S*) ')
end
local now, crossing = ARGV[1], {}
for i, key in ipairs(KEYS) do
  local old = head(key, '33')
  local expires = old and sub(old, 2, 17)
  if old and expires > now and sub(old, 34) == 's' then
    local row, ttl = ARGV[i * 2], ARGV[i * 2 + 1]
    local deadline = sub(row, 1, 16)
    if ttl == '0' then
      call('UNLINK', key)
    elseif expires < sub(row, 33, 48) and owner(key) ~= sub(row, 49) then
      crossing[#crossing + 1] = i
    elseif expires < sub(row, 17, 32) or expires > deadline
      or type(redis.pcall('SETRANGE', key, '1', deadline)) ~= 'number' then
      call('PEXPIRE', key, ttl)
      call('SETRANGE', key, '1', deadline)
    end
  end
end
return crossing`)

/**
 * ARGV: the score that is past; then session key, score and ttl of each row. KEYS are the indexes of the users.
 * Whoever has very many sessions loses the past ones by a hundred at a time.
 */
export const INDEX: Script = {
  source: `
redis.call('ZREMRANGEBYRANK', KEYS[1], 1, 0)
for i, key in ipairs(KEYS) do
  local name, score, ttl = ARGV[i * 3 - 1], ARGV[i * 3], ARGV[i * 3 + 1]
  local past = redis.call('ZCOUNT', key, '-inf', '(' .. ARGV[1])
  if past > 0 then
    redis.call('ZREMRANGEBYRANK', key, 0, math.min(past, 100) - 1)
  end
  redis.call('ZADD', key, 'GT', score, name)
  if redis.call('PTTL', key) < tonumber(ttl) then
    redis.call('PEXPIRE', key, ttl)
  end
end
return {}`,
}

/** ARGV: now. Returns the rows that are live sessions. */
export const COUNT: Script = script(`${HEAD}
local live = {}
for i, key in ipairs(KEYS) do
  local text = head(key, '33')
  if text and sub(text, 2, 17) > ARGV[1] and sub(text, 34) == 's' then
    live[#live + 1] = i
  end
end
return live`)
