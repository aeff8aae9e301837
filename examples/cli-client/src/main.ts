#!/usr/bin/env node
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { parseArgs } from 'node:util'
import { ClientError, NotesClient } from './client.ts'
import { TokensFile } from './tokens-file.ts'

const USAGE = `notes sign-in <name> [--site http://localhost:3000]   asks for the password, or reads it from the input
notes list
notes add <text>
notes sign-out`

const file = process.env.NOTES_TOKENS ?? join(homedir(), '.config', 'notes', 'tokens.json')
const client = new NotesClient(new TokensFile(file))

/** Asks for the password without showing it. It is never an argument, which other users could see. */
async function askPassword(): Promise<string> {
  const isTerminal = process.stdin.isTTY === true
  if (isTerminal) process.stderr.write('Password: ')
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const input = createInterface({ input: process.stdin, output: silent, terminal: isTerminal })
  const password = await input.question('')
  input.close()
  if (isTerminal) process.stderr.write('\n')
  return password
}

async function run(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { site: { type: 'string', default: 'http://localhost:3000' } },
  })
  const [command, argument, ...others] = positionals
  if (others.length > 0) throw new ClientError(USAGE)
  if (command === 'sign-in' && argument) {
    const site = new URL(values.site).origin
    await client.signIn(site, argument, await askPassword(), `notes on ${hostname()}`)
    console.log('You are signed in.')
  } else if (command === 'list' && !argument) for (const note of await client.list()) console.log(note)
  else if (command === 'add' && argument) await client.add(argument)
  else if (command === 'sign-out' && !argument) {
    await client.signOut()
    console.log('You are signed out.')
  } else throw new ClientError(USAGE)
}

run().catch((error: unknown) => {
  // Only the message is shown: the error may hold the request with its token.
  console.error(
    error instanceof ClientError || error instanceof TypeError ? error.message : 'The client failed.',
  )
  process.exitCode = 1
})
