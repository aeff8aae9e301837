/**
 * Builds a Docker image of each server that is installed on this machine, because some machines
 * cannot pull images.
 * Progress goes to stderr. Stdout is for `eval`: it exports the variables that select these images.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { mongoBinary, postgresBinary, redisBinary } from '../src/index.ts'

const NOBODY = 65_534

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

/** Copies files and folders to the same path under `root`. Links are followed. */
function copy(root: string, paths: readonly string[]): void {
  run('cp', '-rL', '--parents', ...paths, root)
}

/** Copies all shared libraries that the programs link, including the dynamic loader. */
function copyLinked(root: string, programs: readonly string[]): void {
  const libraries = programs.flatMap((program) => run('ldd', program).match(/\/\S+(?= \(0x)/g) ?? [])
  copy(root, [...new Set(libraries)])
}

/**
 * Builds an image from the files that `fill` puts under `root`. The user `nobody` owns and runs it.
 */
function buildImage(
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

/** Builds an image of a server that needs one program and its shared libraries. */
function buildSingle(variable: string, name: string, binary: string): void {
  buildImage(variable, name, binary, ['ENV PATH=/usr/local/bin'], (root) => {
    copyFileSync(binary, join(root, 'usr/local/bin', basename(binary)))
    copyLinked(root, [binary])
  })
}

/** Does the part of the official image's entry point that the testbed relies on. */
const entrypoint = `#!/bin/bash
set -e
initdb -D /data/pg -U "$POSTGRES_USER" -A scram-sha-256 -E UTF8 --no-locale --pwfile <(echo "$POSTGRES_PASSWORD")
echo "CREATE DATABASE \\"$POSTGRES_DB\\"" | postgres --single -D /data/pg postgres
echo "host all all all scram-sha-256" >>/data/pg/pg_hba.conf
exec postgres -D /data/pg -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
`

function buildPostgres(variable: string, binary: string): void {
  const bin = dirname(binary)
  const share = run(join(bin, 'pg_config'), '--sharedir').trim()
  const settings = [`ENV PATH=${bin}:/usr/local/bin:/bin`, 'ENTRYPOINT ["/usr/local/bin/entrypoint"]']
  buildImage(variable, 'postgres', binary, settings, (root) => {
    // PostgreSQL reads the system's time zones. The entry point, initdb and the health check need
    // bash.
    copy(root, [dirname(bin), share, '/usr/share/zoneinfo', '/bin/bash'])
    copyFileSync('/bin/bash', join(root, 'bin/sh'))
    copyLinked(root, ['/bin/bash', ...['postgres', 'initdb', 'pg_isready'].map((name) => join(bin, name))])
    const file = join(root, 'usr/local/bin/entrypoint')
    writeFileSync(file, entrypoint)
    chmodSync(file, 0o755)
  })
}

buildSingle('SESSION_STORES_REDIS_IMAGE', 'redis', (await redisBinary()).path)
buildSingle('SESSION_STORES_MONGODB_IMAGE', 'mongodb', (await mongoBinary()).path)
buildPostgres('SESSION_STORES_POSTGRES_IMAGE', realpathSync((await postgresBinary()).path))
