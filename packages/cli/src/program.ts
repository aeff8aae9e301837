import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { FORMATS } from './commands/formats.ts'
import { runCommand } from './run.ts'
import { redact } from './secrets.ts'
import { TIMEOUT } from './store/target.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

// Commands are loaded on demand, so that help and mistakes are answered at once.
const doctor = () => import('./commands/doctor.ts')
const sessions = () => import('./commands/sessions.ts')

const EXIT_HELP = `Exit codes: 0 done, 2 not done, 130 interrupted.`

/** Makes the parser of the command line, which runs the commands. */
export function makeProgram(): Command {
  const program = new Command('session-stores')
    .description('Checks the session stores of express-session, and lists, ends and moves sessions.')
    .version(version, '-v, --version')
    .helpCommand(false)
    .configureOutput({ writeErr: (text) => process.stderr.write(redact(text)) })
    .exitOverride()
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 something was found, 2 not done, 130 interrupted.
A URL with a password goes into SESSION_STORES_URL, a password alone into
SESSION_STORES_PASSWORD, or --ask-password asks for it.`,
    )

  onStore(program.command('doctor'), { plainIds: false })
    .summary('checks a store or a site, and says what to set')
    .description('Checks a store, a site or both, and says what to set. Changes nothing.')
    .option('--sealed', 'every session should be sealed')
    .option('--site <url>', 'a page of the site that sets the cookie')
    .option('--cookie <name>', 'its cookie (default: the signed one)')
    .option('--jwks <path>', 'its keys (default: /.well-known/jwks.json)')
    .option('--ignore <id>', 'a finding that does not count; repeatable', collect)
    .addHelpText('after', 'Exit codes: 0 healthy, 1 findings, 2 could not be checked, 130 interrupted.')
    .action((flags) => runCommand(async (run) => (await doctor()).examine(flags, run)))

  onStore(program.command('list'))
    .summary('lists the live sessions')
    .description('Lists the live sessions by their handles, never their ids.')
    .option('--user <user>', 'only the sessions of this user')
    .option('--limit <n>', 'at most so many sessions', toCount)
    .addHelpText('after', EXIT_HELP)
    .action((flags) => runCommand(async (run) => (await sessions()).listSessions(flags, run)))

  onStore(program.command('revoke'))
    .summary('ends sessions: of a handle, of a user, or all')
    .description('Ends the session of a handle, or more, from their next requests on.')
    .argument('[handle]')
    .option('--user <user>', 'all sessions of this user')
    .option('--all', 'all sessions of the store')
    .option('--yes', 'do not ask')
    .addHelpText('after', 'Exit codes: 0 done, 1 no such session, 2 not done, 130 interrupted.')
    .action((handle, flags) =>
      runCommand(async (run) => (await sessions()).revokeSessions(handle, flags, run)),
    )

  onStore(program.command('prune'))
    .summary('removes expired rows')
    .description('Removes expired rows. Stores do it by themselves every pruneInterval.')
    .addHelpText('after', EXIT_HELP)
    .action((flags) => runCommand(async (run) => (await sessions()).pruneSessions(flags, run)))

  onStore(program.command('migrate'), { plainIds: false, prompts: false, timeout: false })
    .summary('moves the sessions of another store in')
    .description('Moves the sessions of another store in. It may be run again at any time.')
    .addOption(new Option('--from <store>', 'whose the sessions are').choices(FORMATS).makeOptionMandatory())
    .option('--source <url>', 'where its sessions are (default: as --store)')
    .option('--source-place <name>', 'its prefix, [schema.]table or collection')
    .option('--user-path <path>', "whose a session is, such as 'passport.user'")
    .option('--dry-run', 'count, and write nothing')
    .option('--keep', 'copy, and leave the rows of the other store')
    .option('--rate <n>', 'at most so many sessions a second', toCount)
    .addHelpText('after', 'Exit codes: 0 done, 1 some are unreadable, 2 not done, 130 interrupted.')
    .action((flags) =>
      runCommand(async (run) => (await import('./commands/migrate.ts')).migrateSessions(flags, run)),
    )

  program
    .command('keygen')
    .summary('makes a key for tokens, or a secret')
    .description('Makes a private key for @session-stores/token, as a JWK.')
    .option('--alg <name>', 'ES256, or Ed25519 (EdDSA) (default: ES256)')
    .option('--secret', 'make 32 random bytes instead, for a secret or a seal')
    .option('--out <file>', 'write to this new file, with mode 600')
    .option('--stdout', 'print the key')
    .addHelpText('after', EXIT_HELP)
    .action((flags) => runCommand(async () => (await import('./commands/keygen.ts')).makeKey(flags)))

  return program
}

/** Adds the options of every command on a store. */
function onStore(command: Command, { plainIds = true, prompts = true, timeout = true } = {}): Command {
  command
    .optionsGroup('Where the sessions are:')
    .option('--store <url>', 'redis: rediss: postgres: mongodb: sqlite:<file>')
    .option('--prefix <text>', 'of Redis (default: sess:)')
    .option('--schema <name>', 'of PostgreSQL (default: public)')
    .option('--table <name>', 'of PostgreSQL or SQLite (default: sessions)')
    .option('--database <name>', 'of MongoDB (default: that of the URL)')
    .option('--collection <name>', 'of MongoDB (default: sessions)')
  if (prompts) command.option('--ask-password', 'ask for the password')
  if (plainIds) command.option('--plain-ids', 'the store has hashIds: false')
  command.optionsGroup('Options:')
  if (timeout) command.option('--timeout <ms>', `how long a call may take (default: ${TIMEOUT})`, toCount)
  return command.option('--json', 'print JSON, for scripts')
}

const collect = (id: string, ids: string[] = []): string[] => [...ids, id]

function toCount(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 30)
    throw new InvalidArgumentError('It takes a whole number from 1 on.')
  return value
}
