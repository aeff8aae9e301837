import { accessSync, constants, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fetchBinary } from './fetch.ts'
import { type Binary, startProcess } from './process.ts'
import { type Kind, type ProcessKind, ServerUnavailableError, type TestServer } from './server.ts'
import { until } from './until.ts'

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * A server of the kind from the first source that has one: the environment, PATH, Docker, fetched.
 * Throws `ServerUnavailableError` when none has. A URL or a binary that is there and does not work is an error of its
 * own; a container that does not start, say for want of its image, is announced and the search goes on.
 */
export async function anyServer(kind: Kind): Promise<TestServer> {
  const url = process.env[kind.variable]
  if (url) return fromEnvironment(kind, url)
  const path = onPath(kind)
  if (path) return startProcess(kind, { path, source: 'path' })
  const reasons = [`${kind.variable} is not set`, absent(kind)]
  if (await dockerAnswers()) {
    try {
      return await fromDocker(kind)
    } catch (error) {
      reasons.push(`Docker could not start it: ${messageOf(error)}`)
      process.stderr.write(`testbed: ${reasons.at(-1)}\n`)
    }
  } else reasons.push('no Docker daemon answers')
  return startProcess(kind, await fetched(kind, reasons))
}

/** The kind's binary from PATH, else fetched; throws `ServerUnavailableError`. */
export async function findBinary(kind: ProcessKind): Promise<Binary> {
  const path = onPath(kind)
  return path ? { path, source: 'path' } : fetched(kind, [absent(kind)])
}

/** The server at a URL, which somebody else started. */
async function fromEnvironment(kind: Kind, url: string): Promise<TestServer> {
  const { version } = await kind.identify(url).catch((cause) => {
    throw new Error(`the ${kind.name} server of ${kind.variable} does not answer`, { cause })
  })
  return served('env', url, version, async () => {})
}

/** Whether a Docker daemon answers, wherever testcontainers looks for one. */
export async function dockerAnswers(): Promise<boolean> {
  const { getContainerRuntimeClient } = await import('testcontainers')
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  )
}

/** A server in a container; needs a Docker daemon that answers. */
export async function fromDocker(kind: Kind): Promise<TestServer> {
  const container = await kind.container()
  const stop = async () => void (await container.stop())
  try {
    const { version } = await until(() => kind.identify(container.url), 30_000)
    return served('docker', container.url, version, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function fetched(kind: ProcessKind, reasons: readonly string[]): Promise<Binary> {
  try {
    return { path: await fetchBinary(kind), source: 'fetched' }
  } catch (error) {
    throw new ServerUnavailableError(kind, [...reasons, messageOf(error)])
  }
}

function onPath(kind: ProcessKind): string | undefined {
  return findCommand(kind.commands, kind.offPath ? globSync(kind.offPath).sort().reverse() : [])
}

/** The file of the first of these commands that is on PATH, else the first of `others` that can be executed. */
export function findCommand(commands: readonly string[], others: readonly string[] = []): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const onPath = commands.flatMap((command) => folders.map((folder) => join(folder, command)))
  return [...onPath, ...others].find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

const absent = (kind: ProcessKind): string => `no ${kind.commands.join(' or ')} on PATH`

function served(
  source: 'env' | 'docker',
  url: string,
  version: string,
  stop: () => Promise<void>,
): TestServer {
  return { url, source, version, stop, [Symbol.asyncDispose]: stop }
}
