import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend } from '@session-stores/conformance'
import { mongoReplicaSet, type ProcessServer, postgresProcess, redisProcess } from '@session-stores/testbed'
import pg from 'pg'
import { type Link, openLink } from './link.ts'

type Start = () => Promise<ProcessServer>

/**
 * Wraps `start` so that one server is started at the first call and shared. The testbed ends the
 * server with this process.
 */
function startOnce(start: Start): Start {
  let running: Promise<ProcessServer> | undefined
  return () => {
    running ??= start()
    return running
  }
}

export const redis: Start = startOnce(redisProcess)
// Each rule has two stores with a pool each, and many rules run in parallel.
export const postgres: Start = startOnce(() => postgresProcess({ args: ['-c', 'max_connections=300'] }))
export const mongodb: Start = startOnce(mongoReplicaSet)

/** A place for one rule on a shared server, with its own link and a unique name. */
export interface Place {
  url: string
  /** The URL of the server itself, which the link does not affect. */
  direct: string
  name: string
  hooks: Required<Pick<Backend, 'stop' | 'freeze'>>
  close(): Promise<void>
}

let count = 0

async function openPlace(running: Promise<ProcessServer>): Promise<Place> {
  const { url, port } = await running
  const link: Link = await openLink(port)
  const stop = (): ReturnType<Link['cut']> => link.cut()
  return {
    url: url.replace(`:${port}`, `:${link.port}`),
    direct: url,
    name: `place_${process.pid}_${++count}`,
    hooks: { stop, freeze: () => link.freeze() },
    close: () => link.close(),
  }
}

export const redisPlace = (): Promise<Place> => openPlace(redis())
export const postgresPlace = (): Promise<Place> => openPlace(postgres())
export async function mongoPlace(): Promise<Place> {
  const found = await openPlace(mongodb())
  const direct = (url: string): string => url.replace('replicaSet=rs', 'directConnection=true')
  return { ...found, url: direct(found.url), direct: direct(found.direct) }
}

/** Creates a schema and returns its name. */
export async function newSchema(url: string, name: string): Promise<string> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`CREATE SCHEMA ${name}`)
  await client.end()
  return name
}

/**
 * Adds settings to the URL of a PostgreSQL. Connections of the URL start with these settings;
 * `undefined` keeps the server's default.
 */
export function withSettings(url: string, settings: Readonly<Record<string, string | undefined>>): string {
  const options = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [`-c ${name}=${value}`],
  )
  return options.length === 0 ? url : `${url}?options=${encodeURIComponent(options.join(' '))}`
}

/** Creates a folder for one rule. */
export function folderPlace(): { folder: string; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'session-store-'))
  return { folder, close: () => rmSync(folder, { recursive: true, force: true }) }
}
