/**
 * Makes a Docker image of each server that this machine has, for where none can be pulled, and says so on the screen.
 * What it prints is for `eval`: the variables that make the testbed use these images.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { mongoBinary, postgresBinary, redisBinary } from '../src/index.ts'

const NOBODY = 65_534

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

/** Copies files and folders to the same place under the root, links followed. */
function copy(root: string, paths: readonly string[]): void {
  run('cp', '-rL', '--parents', ...paths, root)
}

/** Copies programs with all that they link, the loader among it. */
function copyLinked(root: string, programs: readonly string[]): void {
  const libraries = programs.flatMap((program) => run('ldd', program).match(/\/\S+(?= \(0x)/g) ?? [])
  copy(root, [...new Set(libraries)])
}

/** Makes an image of what `fill` puts under its root, run by nobody, to whom it all belongs. */
function make(
  variable: string,
  name: string,
  binary: string,
  settings: readonly string[],
  fill: (root: string) => void,
): void {
  const version = /\d+(\.\d+)+/.exec(run(binary, '--version'))![0]
  const tag = `session-stores-testbed/${name}:host-${version}`
  const folder = mkdtempSync(join(tmpdir(), 'testbed-image-'))
  try {
    const root = join(folder, 'root')
    for (const each of ['etc', 'tmp', 'data/db', 'usr/local/bin'])
      mkdirSync(join(root, each), { recursive: true })
    writeFileSync(join(root, 'etc/passwd'), `nobody:x:${NOBODY}:${NOBODY}::/data:/bin/bash\n`)
    fill(root)
    const archive = join(folder, 'root.tar')
    run('tar', '-C', root, `--owner=${NOBODY}`, `--group=${NOBODY}`, '-cf', archive, '.')
    const changes = ['USER nobody', 'WORKDIR /data', ...settings].flatMap((line) => ['--change', line])
    run('docker', 'import', ...changes, archive, tag)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  process.stderr.write(`images: made ${tag} of ${binary}\n`)
  process.stdout.write(`export ${variable}=${tag}\n`)
}

/** A server that is one program and what it links. */
function makeSingle(variable: string, name: string, binary: string): void {
  make(variable, name, binary, ['ENV PATH=/usr/local/bin'], (root) => {
    copyFileSync(binary, join(root, 'usr/local/bin', basename(binary)))
    copyLinked(root, [binary])
  })
}

/** What the official image's entry point does with the variables that it is given, and no more. */
const entrypoint = `#!/bin/bash
set -e
initdb -D /data/pg -U "$POSTGRES_USER" -A scram-sha-256 -E UTF8 --no-locale --pwfile <(echo "$POSTGRES_PASSWORD")
echo "CREATE DATABASE \\"$POSTGRES_DB\\"" | postgres --single -D /data/pg postgres
echo "host all all all scram-sha-256" >>/data/pg/pg_hba.conf
exec postgres -D /data/pg -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
`

function makePostgres(variable: string, binary: string): void {
  const bin = dirname(binary)
  const share = run(join(bin, 'pg_config'), '--sharedir').trim()
  const settings = [`ENV PATH=${bin}:/usr/local/bin:/bin`, 'ENTRYPOINT ["/usr/local/bin/entrypoint"]']
  make(variable, 'postgres', binary, settings, (root) => {
    // The time zones are the system's; the shell is for the entry point, initdb and the health check.
    copy(root, [dirname(bin), share, '/usr/share/zoneinfo', '/bin/bash'])
    copyFileSync('/bin/bash', join(root, 'bin/sh'))
    copyLinked(root, ['/bin/bash', ...['postgres', 'initdb', 'pg_isready'].map((name) => join(bin, name))])
    const file = join(root, 'usr/local/bin/entrypoint')
    writeFileSync(file, entrypoint)
    chmodSync(file, 0o755)
  })
}

makeSingle('SESSION_STORES_REDIS_IMAGE', 'redis', (await redisBinary()).path)
makeSingle('SESSION_STORES_MONGODB_IMAGE', 'mongodb', (await mongoBinary()).path)
makePostgres('SESSION_STORES_POSTGRES_IMAGE', realpathSync((await postgresBinary()).path))
