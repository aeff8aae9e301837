import { accessSync, constants, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fetchBinary } from './fetch.ts'
import { type Binary, startProcess } from './process.ts'
import { type Kind, type ProcessKind, ServerUnavailableError, type TestServer } from './server.ts'
import { until } from './until.ts'

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * Returns a server from the first available source: the environment, PATH, Docker, or a fetched
 * binary. A URL or a binary that exists and does not work is an error of its own. A container that
 * does not start, for example because its image is missing, is logged and the search continues.
 * @throws SERVER_UNAVAILABLE
 */
export async function anyServer(kind: Kind): Promise<TestServer> {
  const url = process.env[kind.variable]
  if (url) return fromEnvironment(kind, url)
  const path = findOnPath(kind)
  if (path) return startProcess(kind, { path, source: 'path' })
  const reasons = [`${kind.variable} is not set`, explainAbsence(kind)]
  if (await dockerAnswers()) {
    try {
      return await fromDocker(kind)
    } catch (error) {
      reasons.push(`Docker could not start it: ${messageOf(error)}`)
      process.stderr.write(`testbed: ${reasons.at(-1)}\n`)
    }
  } else reasons.push('no Docker daemon answers')
  return startProcess(kind, await fetchOrExplain(kind, reasons))
}

/**
 * Returns the kind's binary from PATH, or else a fetched one.
 * @throws SERVER_UNAVAILABLE
 */
export async function findBinary(kind: ProcessKind): Promise<Binary> {
  const path = findOnPath(kind)
  return path ? { path, source: 'path' } : fetchOrExplain(kind, [explainAbsence(kind)])
}

/** Returns the server at a URL of the environment. */
async function fromEnvironment(kind: Kind, url: string): Promise<TestServer> {
  const { version } = await kind.identify(url).catch((cause) => {
    throw new Error(`the ${kind.name} server of ${kind.variable} does not answer`, { cause })
  })
  return makeServer('env', url, version, async () => {})
}

/** Returns whether a Docker daemon answers, wherever testcontainers looks for one. */
export async function dockerAnswers(): Promise<boolean> {
  const { getContainerRuntimeClient } = await import('testcontainers')
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  )
}

/** Starts a server in a container. Requires a Docker daemon that answers. */
export async function fromDocker(kind: Kind): Promise<TestServer> {
  const container = await kind.container()
  const stop = async () => void (await container.stop())
  try {
    const { version } = await until(() => kind.identify(container.url), 30_000)
    return makeServer('docker', container.url, version, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function fetchOrExplain(kind: ProcessKind, reasons: readonly string[]): Promise<Binary> {
  try {
    return { path: await fetchBinary(kind), source: 'fetched' }
  } catch (error) {
    throw new ServerUnavailableError(kind, [...reasons, messageOf(error)])
  }
}

function findOnPath(kind: ProcessKind): string | undefined {
  return findCommand(kind.commands, kind.offPath ? globSync(kind.offPath).sort().reverse() : [])
}

/**
 * Returns the path of the first command that is on PATH, or else the first of `others` that is
 * executable.
 */
export function findCommand(commands: readonly string[], others: readonly string[] = []): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const candidates = commands.flatMap((command) => folders.map((folder) => join(folder, command)))
  return [...candidates, ...others].find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

const explainAbsence = (kind: ProcessKind): string => `no ${kind.commands.join(' or ')} on PATH`

function makeServer(
  source: 'env' | 'docker',
  url: string,
  version: string,
  stop: () => Promise<void>,
): TestServer {
  return { url, source, version, stop, [Symbol.asyncDispose]: stop }
}
