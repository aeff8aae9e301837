import { MARGIN, SPAN } from './lifetime.ts'
import {
  BEGIN,
  byteOf,
  CREATED,
  END,
  EXPIRES,
  IF_OURS,
  KIND,
  NUMBER,
  OWNER,
  type Rows,
  type Script,
  SESSION_BYTE,
  TAG,
  TO_KIND,
  TO_TAG,
  TO_USER,
  TOMBSTONE_BYTE,
  timeIn,
  toPlainScript,
  toRowScript,
  toScript,
} from './lua.ts'
import { CREATED_AT, EXPIRES_AT, FOREIGN_TAG, HASH_LENGTH, TAG_AT, TIME_LENGTH } from './row.ts'

/** The letters of the notes of `WRITE`. */
export const ENDED = 'e'
export const REVIVED = 'r'
export const CROSSING = 'x'

/** Entries of an index with less than this score are past. */
const PAST = `
local past = string.format('(%.0f', math.max(0, tonumber(sub(now, ${timeIn(0)})) - ${MARGIN}))`

/**
 * Lua that adds an entry to `index`, where its score is higher than before, and prolongs the index.
 * The arguments are Lua, too. Entries below `past` go, a hundred at a time, so that a user with very
 * many sessions holds up nobody.
 */
const addEntry = (score: string, name: string, ttl: string): string => `
  call('ZADD', index, 'GT', ${score}, ${name})
  local gone = call('ZCOUNT', index, '-inf', past)
  if gone > 0 then
    call('ZREMRANGEBYRANK', index, 0, math.min(gone, 100) - 1)
  end
  if call('PTTL', index) < tonumber(${ttl}) then
    call('PEXPIRE', index, ${ttl})
  end`

/** Adds the entry of a row, before its session: a command that Redis refuses ends the script. */
const ADD_ENTRY_OF_ROW = `
      if entry ~= '' and ttl ~= '0' then
        local life = string.match(sub(entry, ${timeIn(1)}), '[1-9]%d*')
        ${addEntry(`sub(entry, ${timeIn(0)})`, `sub(entry, ${2 * TIME_LENGTH + 1})`, 'life')}
      end`

/**
 * ARGV: what the write expects, the TTL and the value of each row. The expectation is `!` for a
 * tombstone that always lands, nothing for a create, or `=`, a tag and a space. With `extend`, it
 * begins with `>` in place of `=`, or with `#` and the end of what the user's index covers (a
 * time). A TTL of 0 is a deadline that has passed: the row goes.
 *
 * Names the rows that did not land. Notes:
 * `e`: the write ended the session of this user with this deadline (a time, then the user);
 * `r`: a session of a user took the place of a tombstone;
 * `x`: the row was left alone, because the user's index may not cover this deadline, which must
 * stay.
 */
export const WRITE: Script = toRowScript(writeRows(false))

/**
 * `WRITE` with a fourth argument for each row, and with a second key: the index of the user. The
 * argument is the entry of the index: its score (a time), the index's TTL (padded as a time) and the
 * session's name. It is empty where the row has no user.
 *
 * A session and its entry land in one step, so that no `FLUSHALL` removes the entry alone.
 */
export const WRITE_INDEXED: Script = toPlainScript({ ...writeRows(true), keysPerRow: 2 })

function writeRows(isIndexed: boolean): Rows {
  const count = isIndexed ? 4 : 3
  const arg = (place: number): string => `ARGV[(i - 1) * ${count} + ${place + 1}]`
  return {
    begin: `local match = string.match${isIndexed ? PAST : ''}`,
    last: TO_TAG,
    work: `
  local expect, ttl, value = ${arg(1)}, ${arg(2)}, ${arg(3)}
  local how = byte(expect)
  local kind, expires = old and byte(old, ${KIND}), old and sub(old, ${EXPIRES})
  -- Otherwise there is no value, or a foreign one.
  local ours = kind == ${SESSION_BYTE} or kind == ${TOMBSTONE_BYTE}
  local live = ours and expires > now
  local lands
  if how == ${byteOf('!')} then
    lands = true
  elseif not how then
    lands = not live
  else
    local wanted = sub(expect, how == ${byteOf('#')} and ${TIME_LENGTH + 2} or 2)
    lands = live and sub(old, ${TAG}, ${TAG_AT} + #wanted) == wanted or not ours and wanted == '${FOREIGN_TAG} '
  end
  if live and (how == ${byteOf('!')} or not lands)
    and match(old, '^%S*', ${TAG}) == match(value, '^%S+', ${TAG}) then
    -- The write was sent twice.
    lands = true
  elseif lands and byte(value, ${KIND}) == ${TOMBSTONE_BYTE} then
    local user = kind == ${SESSION_BYTE} and ${OWNER}
    -- This command lets the script go on where memory is full. The key must not go before SET: where
    -- its slot moves, this node would refuse SET.
    call('PEXPIRE', key, ttl)
    call('SET', key, value, 'PX', ttl)
    if user and user ~= '' then
      answer[#answer + 1] = '${ENDED}' .. i .. ' ' .. expires .. user
    end
  elseif lands then
    local keeps
    if live and kind == ${SESSION_BYTE} then
      local created = sub(old, ${CREATED})
      if created ~= sub(value, ${CREATED}) then
        value = sub(value, 1, ${CREATED_AT}) .. created .. sub(value, ${KIND})
      end
      if how ~= ${byteOf('=')} and expires > sub(value, ${EXPIRES}) then
        local user = match(value, '^%S+ (%S*) ', ${TAG})
        if user ~= '' and ${OWNER} ~= user then
          local cover = how == ${byteOf('#')} and tonumber(sub(expect, ${timeIn(0, 1)}))
            or (math.floor(sub(value, ${EXPIRES}) / ${SPAN}) + 1) * ${SPAN}
          lands = tonumber(expires) < cover
        end
        if lands then
          keeps, value = true, sub(value, 1, ${EXPIRES_AT}) .. expires .. sub(value, ${CREATED_AT + 1})
        else
          answer[#answer + 1] = '${CROSSING}' .. i .. ' ' .. expires
        end
      end
    end
    if lands then
      ${isIndexed ? `local entry, index = ${arg(4)}, KEYS[i * 2]\n${ADD_ENTRY_OF_ROW}` : ''}
      if keeps then
        call('SET', key, value, 'KEEPTTL')
      elseif ttl == '0' then
        call('UNLINK', key)
      else
        call('SET', key, value, 'PX', ttl)
      end
      if kind == ${TOMBSTONE_BYTE} and match(value, '^%S+ %S', ${TAG}) then
        answer[#answer + 1] = '${REVIVED}' .. i .. ' '
      end
    end
  end
  if not lands then
    answer[#answer + 1] = i
  end`,
  }
}

/**
 * The length of the times of a row of `TOUCH`. A tag and a space, which may follow, are shorter.
 */
const TIMES = 4 * TIME_LENGTH

/**
 * @param isIndexed whether each row names the user whose index covers the deadline, before the tag
 */
function touchScript(isIndexed: boolean): Script {
  const [userLength, user, tag] = isIndexed
    ? [HASH_LENGTH, `string.match(sub(row, 1, ${HASH_LENGTH}), '^%S*')`, `sub(row, ${HASH_LENGTH + 1})`]
    : [0, "''", 'row']
  return toRowScript(
    {
      begin: 'local find, times, deadline, lowest = string.find',
      before: `local row = ARGV[i + 1]
  if #row >= ${TIMES + userLength} then
    times, row, deadline, lowest = row, sub(row, ${TIMES + 1}), sub(row, ${timeIn(0)}), sub(row, ${timeIn(1)})
  end`,
      last: TO_TAG,
      work: `
  local expires = old and sub(old, ${EXPIRES})
  if old and expires > now and byte(old, ${KIND}) == ${SESSION_BYTE} then
    if find(old, ${tag}, ${TAG}, true) ~= ${TAG} then
      -- Another request has saved meanwhile, and decided the deadline.
    elseif deadline <= now then
      call('UNLINK', key)
    elseif expires >= lowest and expires <= deadline
      and type(redis.pcall('SETRANGE', key, '${EXPIRES_AT}', deadline)) == 'number' then
      -- The key lives long enough, and the index covers the deadline.
    elseif expires < sub(times, ${timeIn(2)}) and ${OWNER} ~= ${user} then
      answer[#answer + 1] = i
    else
      call('PEXPIRE', key, string.match(sub(times, ${timeIn(3)}), '[1-9]%d*'))
      call('SETRANGE', key, '${EXPIRES_AT}', deadline)
    end
  end`,
    },
    // Touches go on where memory is full, because they change no length.
    ',allow-oom',
  )
}

/**
 * ARGV: one text per row. It holds four times (the deadline, the earliest deadline of this span
 * whose key lives as long, the begin of the deadline's span, the TTL), or none where all four are
 * those of the row before. Then follow the tag that the row must carry and a space, or nothing for
 * any tag.
 *
 * A deadline that has passed ends the session. A key that lives long enough keeps its TTL. Names
 * the rows that were left alone, because their index may not cover the new deadline yet.
 */
export const TOUCH: Script = touchScript(false)

/** `TOUCH` with a user before the tag (a hash, or spaces), whose index covers the deadline. */
export const TOUCH_INDEXED: Script = touchScript(true)

/**
 * ARGV: the session's key, score and TTL of each row. KEYS are the indexes of the users. The first
 * command removes nothing, and lets the script go on where memory is full. Entries whose score is
 * less than the time of the first argument go, a hundred at a time, so that a user with very many
 * sessions holds up nobody. A score that begins with `+` raises the entry's own score in any case.
 */
export const INDEX: Script = {
  source: `
local call = redis.call
call('ZREMRANGEBYRANK', KEYS[1], 1, 0)
local past = '(' .. string.sub(ARGV[1], ${timeIn(0)})
for i, index in ipairs(KEYS) do
  local name, score, ttl = ARGV[i * 3 - 1], ARGV[i * 3], ARGV[i * 3 + 1]
  if string.sub(score, 1, 1) == '+' then
    local old = call('ZSCORE', index, name) or score
    score = string.format('%.0f', math.max(tonumber(old), tonumber(score)) + 1)
  end
  ${addEntry('score', 'name', 'ttl')}
end
return {tonumber(string.sub(ARGV[1], ${NUMBER}))}`,
}

/**
 * ARGV: the session's key and score of each row. KEYS are the indexes of the users. Removes entries
 * unless their score is higher: then they are of a session that began after the one that ended.
 */
export const UNINDEX: Script = toScript(`${BEGIN}
for i, key in ipairs(KEYS) do
  local score = call('ZSCORE', key, ARGV[i * 2])
  if score and tonumber(score) <= tonumber(ARGV[i * 2 + 1]) then
    call('ZREM', key, ARGV[i * 2])
  end
end
${END}`)

/** Names the rows that are live sessions. */
export const COUNT: Script = toPlainScript({
  last: TO_KIND,
  work: `
  if old and sub(old, ${EXPIRES}) > now and byte(old, ${KIND}) == ${SESSION_BYTE} then
    answer[#answer + 1] = i
  end`,
})

/** ARGV: a user per row. Names the rows that are this user's. */
export const OWNED: Script = toPlainScript({
  last: TO_USER,
  work: `
  if old and string.match(old, '^%S+ (%S*) ', ${TAG}) == ARGV[i + 1] then
    answer[#answer + 1] = i
  end`,
})

/** Names the rows that are sessions or tombstones, however corrupt. */
export const OURS: Script = toScript(`${BEGIN}
for i = 1, #KEYS do
  ${IF_OURS}
    answer[#answer + 1] = i
  end
end
${END}`)

/** Removes the rows that `OURS` names. */
export const REMOVE_OURS: Script = toScript(`${BEGIN}
for i = 1, #KEYS do
  ${IF_OURS}
    call('UNLINK', key)
  end
end
${END}`)

/** Removes the keys. */
export const REMOVE: Script = toScript(`${BEGIN}
for _, key in ipairs(KEYS) do
  call('UNLINK', key)
end
${END}`)
