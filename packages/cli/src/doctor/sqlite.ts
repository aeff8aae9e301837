import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, sep } from 'node:path'
import type { Database } from 'better-sqlite3'
import { Failure } from '../failure.ts'
import { checkFile } from '../store/open.ts'
import { loadPackages } from '../store/packages.ts'
import type { Target } from '../store/target.ts'
import type { Examination, Inspected } from './examination.ts'
import { findBetterSqlite3 } from './legacy.ts'
import { checkLatePrune, LATE_PRUNE } from './postgres-table.ts'

/** Checks a SQLite file. @throws Failure where it cannot be opened. */
export async function inspectSqlite(target: Target, exam: Examination): Promise<Inspected> {
  checkFile(target.url)
  const file = realpathSync(target.url)
  const { Database } = await loadPackages('sqlite')
  let database: Database
  try {
    database = new Database(file, { fileMustExist: true, readonly: true, timeout: target.timeout })
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
  } catch (error) {
    throw new Failure(`The file ${target.url} cannot be read as a database: ${(error as Error).message}.`)
  }
  checkPlace(exam, file)
  checkModes(exam, file)
  checkFormat(exam, database)
  const hasRows = checkTable(exam, database, target.table)
  findBetterSqlite3(database, exam)
  return {
    version: `SQLite ${database.prepare('SELECT sqlite_version()').pluck().get()}`,
    async ping() {
      database.prepare('SELECT count(*) FROM sqlite_schema').get()
      return undefined
    },
    hasRows,
    close: async () => void database.close(),
  }
}

/** File systems of other machines. Locks and shared memory do not work there as SQLite needs them. */
const NETWORK = /^(nfs4?|cifs|smb3|smbfs|9p|afs|ceph|glusterfs|lustre|fuse\.(sshfs|glusterfs|s3fs|rclone))$/
/** File systems that are empty after a restart. */
const VOLATILE = /^(tmpfs|ramfs)$/

function checkPlace(exam: Examination, file: string): void {
  const system = fileSystemOf(file)
  if (system === undefined)
    exam.skip(['sqlite/network-file'], 'this system does not say what is mounted where')
  else
    exam.check(
      'sqlite/network-file',
      NETWORK.test(system),
      'error',
      `The file is on another machine (${system}), where SQLite loses writes and may destroy the file.`,
      'Keep the file on a disk of this machine, or use PostgreSQL, MongoDB or Redis for several machines.',
    )
  const temporary = [realpathSync(tmpdir()), '/tmp', '/var/tmp', '/dev/shm']
  exam.check(
    'sqlite/temporary-file',
    VOLATILE.test(system ?? '') || temporary.some((folder) => file.startsWith(folder + sep)),
    'warning',
    'The file is in a folder for temporary files: a restart or a clean-up logs every user out.',
    'Move the file to a folder of the application, such as /var/lib/<application>.',
  )
}

/** Returns the type of the file system, or `undefined` where only Linux would tell. */
function fileSystemOf(file: string): string | undefined {
  if (!existsSync('/proc/self/mountinfo')) return undefined
  return fileSystemIn(readFileSync('/proc/self/mountinfo', 'utf8'), file)
}

/** Returns the type of the file system that has the file, by the text of `/proc/self/mountinfo`. */
export function fileSystemIn(mountinfo: string, file: string): string {
  const mounts = mountinfo
    .trim()
    .split('\n')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ')
      const folder = before
        .split(' ')[4]!
        .replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)))
      return { folder, type: after.split(' ')[0]! }
    })
  const around = mounts.filter(({ folder }) => folder === '/' || file.startsWith(folder + sep))
  // Of two mounts on one folder, the later one counts.
  return around.reduce((best, mount) => (mount.folder.length >= best.folder.length ? mount : best)).type
}

function checkModes(exam: Examination, file: string): void {
  if (process.platform === 'win32')
    return exam.skip(['sqlite/readable', 'sqlite/folder'], 'Windows has no modes')
  const open = ['', '-wal', '-shm', '-journal']
    .map((suffix) => file + suffix)
    .filter((path) => existsSync(path) && (statSync(path).mode & 0o006) !== 0)
  exam.check(
    'sqlite/readable',
    open.length > 0,
    'error',
    `Every user of this machine may read or write ${open.join(', ')}.`,
    `chmod 600 ${open.join(' ')}`,
  )
  const folder = dirname(file)
  const { mode } = statSync(folder)
  exam.check(
    'sqlite/folder',
    (mode & 0o1002) === 0o002,
    'error',
    `Every user of this machine may replace the file, because the folder ${folder} is open to all.`,
    `chmod o-w ${folder}`,
  )
}

function checkFormat(exam: Examination, database: Database): void {
  const mode = database.pragma('journal_mode', { simple: true })
  exam.check(
    'sqlite/journal-mode',
    mode !== 'wal',
    'warning',
    `The file is not in WAL mode (journal_mode ${mode}): each save waits for the disk and for all readers.`,
    'PRAGMA journal_mode = WAL. The mode stays with the file.',
  )
  let state: unknown
  try {
    state = database.pragma('quick_check(1)', { simple: true })
  } catch (error) {
    state = (error as Error).message
  }
  exam.check(
    'sqlite/damaged',
    state !== 'ok',
    'error',
    `The file is damaged: ${String(state).split('\n')[0]}.`,
    'Restore a backup, or recover what is left with `sqlite3 <file> .recover`.',
  )
}

const COLUMNS = ['key', 'tag', 'user', 'created_at', 'expires_at', 'purge_at', 'data']

/** Returns whether the table is there and the store's. */
function checkTable(exam: Examination, database: Database, table: string): boolean {
  const columns = database.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[]
  exam.check(
    'sqlite/no-table',
    columns.length === 0,
    'error',
    `There is no table ${table} in the file.`,
    'Start the application once, or name another table with --table.',
  )
  if (columns.length === 0) return false
  const missing = COLUMNS.filter((name) => !columns.includes(name))
  exam.check(
    'sqlite/columns',
    missing.length > 0,
    'error',
    `The table ${table} is not the store's: it lacks the columns ${missing.join(', ')}.`,
    "Name another table with the store's option table.",
  )
  if (missing.length > 0 || exam.hasFound('sqlite/damaged')) return false
  const indexed = database
    .prepare(
      `SELECT group_concat(c.name) FROM pragma_index_list(?) l, pragma_index_info(l.name) c GROUP BY l.name`,
    )
    .pluck()
    .all(table) as string[]
  const lacking = ['key', 'purge_at', 'user,key'].filter((index) => !indexed.includes(index))
  exam.check(
    'sqlite/indexes',
    lacking.length > 0,
    'error',
    `The table lacks the indexes on ${lacking.join(' and ')}, so that calls read all of it.`,
    'Start the application again, which makes the indexes.',
  )
  const first = database
    .prepare(`SELECT min(purge_at) FROM "${table.replaceAll('"', '""')}"`)
    .pluck()
    .get()
  checkLatePrune(exam, 'sqlite', first !== null && Number(first) < Date.now() - LATE_PRUNE)
  return lacking.length === 0
}
