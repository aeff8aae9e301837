import { hash } from 'node:crypto'
import { FOREIGN } from './row.ts'

/**
 * Takes `KEYS` one a row, and `ARGV`: first what begins every script, then what each row has of its own. The first
 * argument is the time by which rows are judged, the latest time of the server's clock at which the script may still
 * run (16 digits each), and a number. The answer is that number alone, or an array that begins with it: the rows that
 * the script is about follow, by their numbers, and notes: a letter, the number of a row, a space, and more.
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

/** Notes of `WRITE`. */
export const ENDED = 'e'
export const REVIVED = 'r'
export const CROSSING = 'x'

/** Lua has no characters. */
function byteOf(character: string): number {
  return character.charCodeAt(0)
}

/**
 * A script that a server reads late, because it hung or because a client sent it again, does nothing: its call was
 * answered with an error long ago.
 */
const BEGIN = `
local call, sub, byte, now = redis.call, string.sub, string.byte, ARGV[1]
local answer, time, last = {tonumber(sub(now, 33))}, call('TIME'), sub(now, 20, 29)
if time[1] >= last and (time[1] > last or time[2] / 1000 > tonumber(sub(now, 30, 32))) then
  return redis.error_reply('LATE the call was given up')
end
`

/** The usual answer is the number alone: an array costs the server and the client time. */
const END = `
if #answer == 1 then return answer[1] end
return answer`

const [SESSION, TOMBSTONE] = [byteOf('s'), byteOf('t')]

/**
 * Puts a session's string up to the place `last` (see `row.ts`) into `old`, nothing where there is none. It stands where
 * it is used, for a function is made anew each time that a script runs. Numbers would be printed each time; bytes are
 * compared where that will do, for each text that is cut out is copied. The argument `now` needs not be cut: another
 * time is later than it just where it is later than its first 16 digits.
 */
const readHead = (last: number): string => `
  local key = KEYS[i]
  local old = redis.pcall('GETRANGE', key, '0', '${last}')
  if type(old) ~= 'string' or byte(old) ~= ${byteOf('2')} then old = nil end
`
const OWNER = "string.match(call('GETRANGE', key, '45', '121'), '^%S+ (%S*) ')"

const script = (source: string): Script => ({ source, sha: hash('sha1', source) })

/**
 * ARGV: what is expected, ttl and value of each row. Expected: `!` anything (a tombstone), nothing (a create), or `=`, a tag and
 * a space. With `extend` there is `>` in place of `=`, or `#` and the end of what the user's index covers (16 digits). A ttl
 * of 0 is a deadline that is past: the row goes. Returns the rows that did not land, and notes:
 * `e`: it ended the session of this deadline (16 digits) and of this user;
 * `r`: a session of a user took the place of a tombstone;
 * `x`: it left the row alone, for the index of the user may not cover this deadline, which is to stay.
 */
export const WRITE: Script = script(`${BEGIN}
local match = string.match
for i = 1, #KEYS do
  ${readHead(77)}
  local expect, ttl, value = ARGV[i * 3 - 1], ARGV[i * 3], ARGV[i * 3 + 1]
  local how = byte(expect)
  local kind, expires = old and byte(old, 34), old and sub(old, 2, 17)
  -- Where it is not, the string is somebody else's, or there is none.
  local ours = kind == ${SESSION} or kind == ${TOMBSTONE}
  local live = ours and expires > now
  local lands
  if how == ${byteOf('!')} then
    lands = true
  elseif not how then
    lands = not live
  else
    local wanted = sub(expect, how == ${byteOf('#')} and 18 or 2)
    lands = live and sub(old, 46, 45 + #wanted) == wanted or not ours and wanted == '${FOREIGN} '
  end
  if live and (how == ${byteOf('!')} or not lands)
    and match(old, '^%S*', 46) == match(value, '^%S+', 46) then
    -- It was sent twice.
    lands = true
  elseif lands and byte(value, 34) == ${TOMBSTONE} then
    local user = kind == ${SESSION} and ${OWNER}
    call('UNLINK', key)
    call('SET', key, value, 'PX', ttl)
    if user and user ~= '' then
      answer[#answer + 1] = '${ENDED}' .. i .. ' ' .. expires .. user
    end
  elseif lands then
    local keeps
    if live and kind == ${SESSION} then
      local created = sub(old, 18, 33)
      if created ~= sub(value, 18, 33) then
        value = sub(value, 1, 17) .. created .. sub(value, 34)
      end
      if how ~= ${byteOf('=')} and expires > sub(value, 2, 17) then
        local user = match(value, '^%S+ (%S*) ', 46)
        if user ~= '' and ${OWNER} ~= user then
          local cover = how == ${byteOf('#')} and tonumber(sub(expect, 2, 17))
            or (math.floor(sub(value, 2, 17) / ${SPAN}) + 1) * ${SPAN}
          lands = tonumber(expires) < cover
        end
        if lands then
          keeps, value = true, sub(value, 1, 1) .. expires .. sub(value, 18)
        else
          answer[#answer + 1] = '${CROSSING}' .. i .. ' ' .. expires
        end
      end
    end
    if lands then
      if keeps then
        call('SET', key, value, 'KEEPTTL')
      elseif ttl == '0' then
        call('UNLINK', key)
      else
        call('SET', key, value, 'PX', ttl)
      end
      if kind == ${TOMBSTONE} and match(value, '^%S+ %S', 46) then
        answer[#answer + 1] = '${REVIVED}' .. i .. ' '
      end
    end
  end
  if not lands then
    answer[#answer + 1] = i
  end
end
${END}`)

/** How long the times of a row are, and the user of one. What comes after them, a tag and a space, is shorter. */
const TIMES = 64
const USER = 43

/** `isIndexed`: each row names the user whose index covers the deadline, in 43 characters before the tag. */
function touch(isIndexed: boolean): Script {
  const [userLength, user, tag] = isIndexed
    ? [USER, `string.match(sub(row, 1, ${USER}), '^%S*')`, `sub(row, ${USER + 1})`]
    : [0, "''", 'row']
  return script(`${BEGIN}
local find, times, deadline, lowest = string.find
for i = 1, #KEYS do
  local row = ARGV[i + 1]
  if #row >= ${TIMES + userLength} then
    times, row, deadline, lowest = row, sub(row, ${TIMES + 1}), sub(row, 1, 16), sub(row, 17, 32)
  end
  ${readHead(77)}
  local expires = old and sub(old, 2, 17)
  if old and expires > now and byte(old, 34) == ${SESSION} then
    if find(old, ${tag}, 46, true) ~= 46 then
      -- Somebody saved meanwhile, and decided the deadline.
    elseif deadline <= now then
      call('UNLINK', key)
    elseif expires >= lowest and expires <= deadline
      and type(redis.pcall('SETRANGE', key, '1', deadline)) == 'number' then
      -- The key lives long enough, and the index covers the deadline.
    elseif expires < sub(times, 33, 48) and ${OWNER} ~= ${user} then
      answer[#answer + 1] = i
    else
      call('PEXPIRE', key, string.match(sub(times, 49, 64), '[1-9]%d*'))
      call('SETRANGE', key, '1', deadline)
    end
  end
end
${END}`)
}

/**
 * ARGV: one text of each row: deadline, the earliest deadline of this span whose key lives as long, begin of the deadline's
 * span and ttl (16 digits each), left out where all of them are those of the row before; then the tag that it must carry
 * and a space, if any. A deadline that is past ends the session. A key that lives long enough keeps its ttl. Returns
 * the rows that it left alone, for their index may not cover their new deadline yet.
 */
export const TOUCH: Script = touch(false)

/** The same, where the tag comes after the user whose index covers the deadline: 43 characters, or spaces. */
export const TOUCH_INDEXED: Script = touch(true)

/**
 * ARGV: session key, score and ttl of each row; the time in the first argument is the score that is past. KEYS are the
 * indexes of the users. A score that begins with `+` raises the entry's own in any case. Whoever has very many
 * sessions loses the past ones by a hundred at a time.
 */
export const INDEX: Script = {
  source: `
redis.call('ZREMRANGEBYRANK', KEYS[1], 1, 0)
for i, key in ipairs(KEYS) do
  local name, score, ttl = ARGV[i * 3 - 1], ARGV[i * 3], ARGV[i * 3 + 1]
  local past = redis.call('ZCOUNT', key, '-inf', '(' .. string.sub(ARGV[1], 1, 16))
  if past > 0 then
    redis.call('ZREMRANGEBYRANK', key, 0, math.min(past, 100) - 1)
  end
  if string.sub(score, 1, 1) == '+' then
    local old = redis.call('ZSCORE', key, name) or score
    score = string.format('%.0f', math.max(tonumber(old), tonumber(score)) + 1)
  end
  redis.call('ZADD', key, 'GT', score, name)
  if redis.call('PTTL', key) < tonumber(ttl) then
    redis.call('PEXPIRE', key, ttl)
  end
end
return {tonumber(string.sub(ARGV[1], 33))}`,
}

/**
 * ARGV: session key and score of each row. KEYS are the indexes of the users. Removes entries whose score is not
 * higher: a higher one belongs to a session that began after the one that ended.
 */
export const UNINDEX: Script = script(`${BEGIN}
for i, key in ipairs(KEYS) do
  local score = call('ZSCORE', key, ARGV[i * 2])
  if score and tonumber(score) <= tonumber(ARGV[i * 2 + 1]) then
    call('ZREM', key, ARGV[i * 2])
  end
end
${END}`)

/** Returns the rows that are live sessions. */
export const COUNT: Script = script(`${BEGIN}
for i = 1, #KEYS do
  ${readHead(33)}
  if old and sub(old, 2, 17) > now and byte(old, 34) == ${SESSION} then
    answer[#answer + 1] = i
  end
end
${END}`)

/** ARGV: a user for each row. Returns the rows that are this user's. */
export const OWNED: Script = script(`${BEGIN}
for i = 1, #KEYS do
  ${readHead(121)}
  if old and string.match(old, '^%S+ (%S*) ', 46) == ARGV[i + 1] then
    answer[#answer + 1] = i
  end
end
${END}`)

/**
 * Begins a block for a key whose string begins as that of a session or a tombstone does. Whether the
 * string was written for this key is not asked.
 */
const IF_OURS = `
  local key = KEYS[i]
  local old = redis.pcall('GETRANGE', key, '0', '33')
  if type(old) == 'string' and #old == 34 and string.find(old, '^2%d+[st]$') then
`

/** Returns the rows that are sessions or tombstones, however corrupt. */
export const OURS: Script = script(`${BEGIN}
for i = 1, #KEYS do
  ${IF_OURS}
    answer[#answer + 1] = i
  end
end
${END}`)

/** Removes the keys of `OURS`. */
export const REMOVE_OURS: Script = script(`${BEGIN}
for i = 1, #KEYS do
  ${IF_OURS}
    call('UNLINK', key)
  end
end
${END}`)

/** Removes the keys. */
export const REMOVE: Script = script(`${BEGIN}
for _, key in ipairs(KEYS) do
  call('UNLINK', key)
end
${END}`)
