import { type RedisNode, sendTogether } from './client.ts'
import type { Link } from './link.ts'
import { type Script, toGroup } from './lua.ts'
import type { Masters } from './masters.ts'

/**
 * Values up to this mean size, in characters, are read by one script for each master. Lua copies
 * each value, so larger ones are cheaper by commands of their own.
 */
const SMALL = 4096

/**
 * Answers with the number that it was given, and the value of each key: a text, nothing, or 0 where
 * this node does not hold the key, or not any more.
 */
const READ: Script = toGroup(
  `local answer = {tonumber(ARGV[1])}
for i, key in ipairs(KEYS) do
  -- MGET even for one key, because GET fails on a foreign key that holds a hash or a list.
  local found = redis.pcall('MGET', key)
  answer[i + 1] = found.err and 0 or found[1]
end
return answer`,
  ',no-writes',
)

/** A key, and the place of its value in the answer. */
interface Wanted {
  readonly key: string
  readonly place: number
}

/** Reads keys of a cluster at their masters, which takes half the time of the cluster's client. */
export class ClusterReads {
  readonly #link: Link
  readonly #masters: Masters
  #isSmall = true

  constructor(link: Link, masters: Masters) {
    this.#link = link
    this.#masters = masters
  }

  /** Returns the values of the keys. The cluster's client follows the keys whose slots move. */
  async read(keys: readonly string[], timeLimit: number): Promise<unknown[]> {
    const link = this.#link
    const values = new Array<unknown>(keys.length)
    const others: Wanted[] = []
    const onError = (error: Error, missed: readonly Wanted[]): void => {
      if (!link.mayAskAgain(error)) throw error
      others.push(...missed)
    }
    const begin = (): Promise<void>[] => {
      const asked: Promise<void>[] = []
      const wanted = keys.map((key, place) => ({ key, place }))
      for (const [node, group] of this.#masters.group(wanted, ({ key }) => key)) {
        if (node === undefined) others.push(...group)
        else if (this.#isSmall && link.crossesSlots)
          asked.push(
            this.#readGroup(node, group, values, others, timeLimit).catch((error) => onError(error, group)),
          )
        else
          for (const each of group)
            asked.push(
              node
                .call('MGET', this.#masters.nameOf(each.key))
                .then((answer) => keep(values, each, answer))
                .catch((error) => onError(error, [each])),
            )
      }
      return asked
    }
    await Promise.all(sendTogether(link.client, begin))
    if (others.length > 0) {
      const follow = (each: Wanted): Promise<void> =>
        link.client.call('MGET', each.key).then((answer) => keep(values, each, answer))
      await Promise.all(sendTogether(link.client, () => others.map(follow)))
    }
    let size = 0
    for (const value of values) if (typeof value === 'string') size += value.length
    this.#isSmall = size <= SMALL * keys.length
    return values
  }

  async #readGroup(
    node: RedisNode,
    group: readonly Wanted[],
    values: unknown[],
    others: Wanted[],
    timeLimit: number,
  ): Promise<void> {
    const link = this.#link
    const number = link.nextNumber()
    const names = group.map(({ key }) => this.#masters.nameOf(key))
    const send = (command: string, script: string): Promise<unknown> =>
      node.call(command, script, 0, number, ...names, names.length)
    const answer = await send('EVALSHA', READ.sha!).catch((error: Error) => {
      if (!error.message.startsWith('NOSCRIPT')) throw error
      return send('EVAL', READ.source)
    })
    if (!Array.isArray(answer) || answer.length !== group.length + 1 || Number(answer[0]) !== number)
      return link.refuseAnswer(timeLimit)
    for (const [i, wanted] of group.entries()) {
      const value: unknown = answer[i + 1]
      // A lent client may be set to return numbers as text (`stringNumbers`). No row is '0'.
      if (value === 0 || value === '0') others.push(wanted)
      else values[wanted.place] = value
    }
  }
}

function keep(values: unknown[], { place }: Wanted, answer: unknown): void {
  if (!Array.isArray(answer) || answer.length !== 1) throw new Error('Redis gave no list of one value')
  values[place] = answer[0]
}
