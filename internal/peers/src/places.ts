import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend } from '@session-stores/conformance'
import { mongoReplicaSet, type ProcessServer, postgresProcess, redisProcess } from '@session-stores/testbed'
import pg from 'pg'
import { type Link, link } from './link.ts'

type Start = () => Promise<ProcessServer>

/** One server of each kind, started when it is first asked for. The testbed ends it with this process. */
function once(start: Start): Start {
  let running: Promise<ProcessServer> | undefined
  return () => {
    running ??= start()
    return running
  }
}

export const redis: Start = once(redisProcess)
// Each rule has two stores with a pool each, and many rules run at once.
export const postgres: Start = once(() => postgresProcess({ args: ['-c', 'max_connections=300'] }))
export const mongodb: Start = once(mongoReplicaSet)

/** A place of one rule on a shared server: its URL leads through a link of its own, its name is nobody else's. */
export interface Place {
  url: string
  /** The server itself, whatever becomes of the link. */
  direct: string
  name: string
  hooks: Required<Pick<Backend, 'stop' | 'freeze'>>
  close(): Promise<void>
}

let made = 0

async function place(running: Promise<ProcessServer>): Promise<Place> {
  const { url, port } = await running
  const road: Link = await link(port)
  const stop = (): ReturnType<Link['cut']> => road.cut()
  return {
    url: url.replace(`:${port}`, `:${road.port}`),
    direct: url,
    name: `place_${process.pid}_${++made}`,
    hooks: { stop, freeze: () => road.freeze() },
    close: () => road.close(),
  }
}

export const redisPlace = (): Promise<Place> => place(redis())
export const postgresPlace = (): Promise<Place> => place(postgres())
export async function mongoPlace(): Promise<Place> {
  const found = await place(mongodb())
  const direct = (url: string): string => url.replace('replicaSet=rs', 'directConnection=true')
  return { ...found, url: direct(found.url), direct: direct(found.direct) }
}

/** Makes a schema of this name. */
export async function newSchema(url: string, name: string): Promise<string> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`CREATE SCHEMA ${name}`)
  await client.end()
  return name
}

/** The URL of a PostgreSQL, for connections whose sessions begin with these settings; `undefined`: as the server has it. */
export function withSettings(url: string, settings: Readonly<Record<string, string | undefined>>): string {
  const options = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [`-c ${name}=${value}`],
  )
  return options.length === 0 ? url : `${url}?options=${encodeURIComponent(options.join(' '))}`
}

/** A folder of one rule. */
export function folderPlace(): { folder: string; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'session-store-'))
  return { folder, close: () => rmSync(folder, { recursive: true, force: true }) }
}
