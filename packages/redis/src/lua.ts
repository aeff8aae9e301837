import { hash } from 'node:crypto'
import {
  CREATED_AT,
  EXPIRES_AT,
  HASH_LENGTH,
  KIND_AT,
  MAX_TAG,
  SESSION,
  TAG_AT,
  TIME_LENGTH,
  TOMBSTONE,
  VERSIONS,
} from './row.ts'

/**
 * A script over rows. `KEYS` holds `keysPerRow` keys per row, the row's own first. The first of
 * `ARGV` holds the time by which rows are judged, the latest time of the server's clock at which the
 * script may still run, and a number. The arguments of the rows follow.
 *
 * The script answers with the number alone, or with an array that begins with the number. In the
 * array, the rows that the script names follow as their numbers, and notes: a letter, the number of
 * a row, a space and a text.
 *
 * Where memory is full (`maxmemory`), Redis runs a script to its end if the first write needs no
 * memory. Scripts that free memory or change no length begin with such a write, so logouts and
 * touches go on.
 * See docs/decisions/0008-redis-strings-and-scripts.md.
 */
export interface Script {
  readonly source: string
  /** Without it, the script is sent whole each time, and never has to be sent again. */
  readonly sha?: string
  /** @default 1 */
  readonly keysPerRow?: number
  /** The same script for all rows of one master of a cluster, whatever their slots. */
  readonly group?: Script
}

/** Returns the number that stands for the character in Lua. */
export const byteOf = (character: string): number => character.charCodeAt(0)

export const SESSION_BYTE: number = byteOf(SESSION)
export const TOMBSTONE_BYTE: number = byteOf(TOMBSTONE)

// Lua counts from 1 and includes the last character, while the layout in `row.ts` counts from 0.

/** The arguments of `string.sub` for `expiresAt`. */
export const EXPIRES: string = `${EXPIRES_AT + 1}, ${CREATED_AT}`
/** The arguments of `string.sub` for `createdAt`. */
export const CREATED: string = `${CREATED_AT + 1}, ${KIND_AT}`
/** The place of the kind. */
export const KIND: number = KIND_AT + 1
/** The place at which the tag begins. */
export const TAG: number = TAG_AT + 1

/**
 * Returns the arguments of `string.sub` for one of several times that stand side by side.
 *
 * @param place which of the times, counted from 0
 * @param before how many characters stand before the first time
 */
export const timeIn = (place: number, before = 0): string =>
  `${before + place * TIME_LENGTH + 1}, ${before + (place + 1) * TIME_LENGTH}`

/** The place of the number in the first argument, after two times. */
export const NUMBER: number = 2 * TIME_LENGTH + 1
// The first argument's latest time ends with 10 digits of seconds and 3 of milliseconds.
const [SECONDS, MILLISECONDS] = [`${NUMBER - 13}, ${NUMBER - 4}`, `${NUMBER - 3}, ${NUMBER - 1}`]

/**
 * The begin of a script. A script that runs too late does nothing, because its call was rejected
 * long ago: the server hung, or a client sent the script again.
 */
export const BEGIN: string = `
local call, sub, byte, now = redis.call, string.sub, string.byte, ARGV[1]
local answer, time, last = {tonumber(sub(now, ${NUMBER}))}, call('TIME'), sub(now, ${SECONDS})
if time[1] >= last and (time[1] > last or time[2] / 1000 > tonumber(sub(now, ${MILLISECONDS}))) then
  return redis.error_reply('LATE the call was given up')
end
`

/**
 * The end of a script. The usual answer is the number alone, because an array costs the server and
 * the client time.
 */
export const END = `
if #answer == 1 then return answer[1] end
return answer`

/** Where `GETRANGE` ends to read a value up to its kind, as Redis counts from 0. */
export const TO_KIND: number = KIND_AT
/** Where `GETRANGE` ends to read a value up to its tag and the space after it. */
export const TO_TAG: number = TAG_AT + MAX_TAG
/** Where `GETRANGE` ends to read a value up to its user and the space after it. */
export const TO_USER: number = TO_TAG + 1 + HASH_LENGTH

/** The note of a group's script about a row that this node does not hold, or not any more. */
export const AWAY = 'a'

/**
 * What a script does with each row: `work`, after it has read the value of row `i` up to the place
 * `last` into `old`, which is `nil` for a foreign or missing value. `before` runs ahead of that.
 */
export interface Rows {
  begin?: string
  before?: string
  last: number
  work: string
  /** How many keys each row has. */
  keysPerRow?: number
}

/**
 * Returns the body of a script. The Lua is inlined, because Redis would make a function anew for
 * each run of a script. Its arguments are text, because Redis would have to convert numbers. It
 * compares bytes where possible, because Lua copies every text that is cut out.
 *
 * `now` is the whole first argument: another time is greater than it exactly where the other time
 * is greater than its first 16 digits.
 */
const bodyOf = (
  { begin = '', before = '', last, work, keysPerRow = 1 }: Rows,
  isGroup: boolean,
): string => `${BEGIN}${begin}
for i = 1, #KEYS${keysPerRow === 1 ? '' : ` / ${keysPerRow}`} do
  ${before}
  local key = KEYS[${keysPerRow === 1 ? 'i' : `(i - 1) * ${keysPerRow} + 1`}]
  local old = redis.pcall('GETRANGE', key, '0', '${last}')
  ${isGroup ? IF_AWAY : ''}
  local version = type(old) == 'string' and byte(old)
  if not version or version < ${VERSIONS.map(byteOf).join(' or version > ')} then old = nil end
  ${work}
  ${isGroup ? 'end' : ''}
end
${END}`

/**
 * The node refuses the first command about a key of a slot that it does not serve, or whose missing
 * keys are on the node to which the slot moves. Then nothing was done for this row.
 */
const IF_AWAY = `if type(old) == 'table' and sub(old.err, 1, 9) ~= 'WRONGTYPE' then
    answer[#answer + 1] = '${AWAY}' .. i .. ' '
  else`

/**
 * The begin of a group's script. No key is declared, so that the node runs the script whatever the
 * slots of the keys. The keys are the last arguments before their number.
 *
 * @param flags further flags, each after a comma
 */
const toGroup = (body: string, flags: string): Script =>
  toScript(`#!lua flags=allow-cross-slot-keys${flags}
local KEYS = {unpack(ARGV, #ARGV - ARGV[#ARGV], #ARGV - 1)}
${body}`)

/**
 * Returns a script over rows that has a form for groups, too.
 *
 * @param flags further flags of the form for groups, each after a comma
 */
export const toRowScript = (rows: Rows, flags = ''): Script => ({
  ...toScript(bodyOf(rows, false)),
  group: toGroup(bodyOf(rows, true), flags),
})

/** Returns a script over rows that has no form for groups. */
export const toPlainScript = (rows: Rows): Script => ({
  ...toScript(bodyOf(rows, false)),
  keysPerRow: rows.keysPerRow ?? 1,
})

/** Lua that returns the user of the session at `key`. */
export const OWNER: string = `string.match(call('GETRANGE', key, '${TAG_AT}', '${TO_USER}'), '^%S+ (%S*) ')`

/** Returns the script with the hash by which Redis finds a script that it knows. */
export const toScript = (source: string): Script => ({ source, sha: hash('sha1', source) })

/** Begins a block for a row whose value begins like a session or a tombstone, of whatever key. */
export const IF_OURS: string = `
  local key = KEYS[i]
  local old = redis.pcall('GETRANGE', key, '0', '${TO_KIND}')
  if type(old) == 'string' and #old == ${KIND} and string.find(old, '^[${VERSIONS.join('-')}]%d+[${SESSION}${TOMBSTONE}]$') then
`
