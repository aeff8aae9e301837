/**
 * An application's process, which makes random calls and reports each of them twice: when it begins
 * and when it is answered. Its argument is the JSON of `Settings`.
 */
import './clock.ts'
import { createHash } from 'node:crypto'
import { openSync, writeSync } from 'node:fs'
import { Tokens } from '@session-stores/token'
import { openVersion } from '../upgrades/store.ts'
import { Client } from './client.ts'
import { setClockAhead } from './clock.ts'
import { breakStore, breakTokens, type Mutant, wrongClockOf } from './mutants.ts'
import {
  type Command,
  GRACES,
  type Line,
  type Message,
  OPERATION_TIMEOUT,
  type Pair,
  type Settings,
} from './protocol.ts'
import { Purse } from './token-calls.ts'

const { database, place, writes, calls: path } = JSON.parse(process.argv[2]!) as Settings

/** The processes of the application share it. */
const secret = createHash('sha256').update('histories').digest()

/** Opens the store, broken in this way, and the tokens of its sessions. */
async function open(mutant: Mutant | undefined) {
  const wrong = wrongClockOf(mutant)
  const right = await openVersion(database, place, writes, {
    operationTimeout: OPERATION_TIMEOUT,
    pruneInterval: false,
    onGone: 'error',
    now: () => Date.now() + wrong,
    user: (found) => (found as unknown as Record<string, string>).user,
  })
  const store = breakStore(right, mutant)
  const make = (grace: number): Tokens =>
    new Tokens({ store, issuer: 'https://lab', audience: 'lab', secret, grace })
  return { store, tokens: new Map(GRACES.map((grace) => [grace, breakTokens(make, grace, mutant)])) }
}

const opened = new Map<Mutant | undefined, ReturnType<typeof open>>()
const purse = new Purse()
const tell = (message: Message): void => void process.send?.(message)
const file = openSync(path, 'a')
const note = (line: Line): void => void writeSync(file, `${JSON.stringify(line)}\n`)
/** Calls of an earlier life of the process are in the same file, so the numbers begin elsewhere. */
let number = process.pid * 1_000_000

process.on('message', async (command: Command) => {
  if ('clock' in command) return setClockAhead(command.clock)
  if ('take' in command) return purse.add(command.take)
  const { history, part, seed, calls, mutant } = command.play
  const opening = opened.get(mutant) ?? open(mutant)
  opened.set(mutant, opening)
  const { store, tokens } = await opening
  const client = new Client(
    { store, tokens, purse, hand },
    { history, seed },
    {
      begin: (question) => {
        number++
        note({ begun: { ...question, number, history, begun: now() } })
        return number
      },
      end: (of, answer) => note({ ended: { number: of, ended: now(), ...answer } }),
    },
  )
  await client.play(calls)
  tell({ done: part })
})
process.on('disconnect', () => process.exit())
opened.set(undefined, open(undefined))
await opened.get(undefined)
tell({ ready: true })

function hand(pair: Pair): void {
  purse.add(pair)
  tell({ handed: pair })
}

function now(): { at: number; clock: number } {
  return { at: Number(process.hrtime.bigint() / 1000n), clock: Date.now() }
}
