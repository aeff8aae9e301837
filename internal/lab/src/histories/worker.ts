/**
 * An application's process, which makes random calls and reports each of them twice: when it begins
 * and when it is answered. Its argument is the JSON of `Settings`.
 */
import { openSync, writeSync } from 'node:fs'
import { openVersion } from '../upgrades/store.ts'
import { Client } from './client.ts'
import { breakStore, wrongClockOf } from './mutants.ts'
import { type Command, type Line, type Message, OPERATION_TIMEOUT, type Settings } from './protocol.ts'

const { database, place, mutant, writes, calls: path } = JSON.parse(process.argv[2]!) as Settings

// express-session computes deadlines with the clock of the process, so the whole process is moved.
let ahead = 0
const realNow = Date.now
Date.now = () => realNow() + ahead

const wrong = wrongClockOf(mutant)
const store = breakStore(
  await openVersion(database, place, writes, {
    operationTimeout: OPERATION_TIMEOUT,
    pruneInterval: false,
    onGone: 'error',
    now: () => Date.now() + wrong,
    user: (found) => (found as unknown as Record<string, string>).user,
  }),
  mutant,
)
const tell = (message: Message): void => void process.send?.(message)
const file = openSync(path, 'a')
const note = (line: Line): void => void writeSync(file, `${JSON.stringify(line)}\n`)
/** Calls of an earlier life of the process are in the same file, so the numbers begin elsewhere. */
let number = process.pid * 1_000_000

process.on('message', async (command: Command) => {
  if ('clock' in command) {
    ahead = command.clock
    return
  }
  const { history, part, seed, calls } = command.play
  const client = new Client(store, history, seed, {
    begin: (question) => {
      number++
      note({ begun: { ...question, number, history, begun: now() } })
      return number
    },
    end: (of, answer) => note({ ended: { number: of, ended: now(), ...answer } }),
  })
  await client.play(calls)
  tell({ done: part })
})
process.on('disconnect', () => process.exit())
tell({ ready: true })

function now(): { at: number; clock: number } {
  return { at: Number(process.hrtime.bigint() / 1000n), clock: Date.now() }
}
