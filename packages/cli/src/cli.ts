#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { CommanderError } from 'commander'
import { separateHandles } from './arguments.ts'
import { EXIT } from './failure.ts'
import { makeProgram } from './program.ts'
import { redact } from './secrets.ts'

// The clients are large, and the next run need not compile them again.
enableCompileCache()

try {
  await makeProgram().parseAsync(separateHandles(process.argv.slice(2)), { from: 'user' })
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Commander has printed the help, the version, or what is wrong with the arguments.
  process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.failed
  if (process.env.SESSION_STORES_DEBUG) process.stderr.write(`${redact(`${error.stack}`)}\n`)
}
