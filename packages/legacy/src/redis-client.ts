/** A client of ioredis or of node-redis, as far as the reader uses it. */
export type AnyRedisClient = object

type Answer = Promise<unknown>

/** The commands that the reader sends, by whichever client. Keys are without the client's prefix. */
export interface RedisCommands {
  /** The prefix that the client puts before every key. */
  readonly keyPrefix: string
  get(key: string): Promise<string | null>
  /** Returns the milliseconds until the key goes, -1 for a key that stays, and -2 for no key. */
  pttl(key: string): Promise<number>
  del(key: string): Answer
  /** Returns a page of the keys that begin with `prefix`. */
  scan(
    prefix: string,
    after: string | undefined,
    limit: number,
  ): Promise<{ keys: string[]; next: string | undefined }>
}

interface IoNode {
  options?: { keyPrefix?: string; host?: string; port?: number }
  scan(...args: (string | number)[]): Promise<[cursor: string, keys: string[]]>
}
interface IoClient extends IoNode {
  get(key: string): Promise<string | null>
  pttl(key: string): Promise<number>
  del(key: string): Answer
  nodes?(role: 'master'): IoNode[]
}

interface NodeRedisNode {
  scan(cursor: string | number, options: object): Promise<{ cursor: string | number; keys: string[] }>
}
interface NodeRedisClient extends NodeRedisNode {
  get(key: string): Promise<string | null>
  pTTL(key: string): Promise<number>
  del(key: string): Answer
  masters?: { address: string }[]
  nodeClient?(master: object): unknown
}

const has = (value: unknown, ...names: string[]): boolean =>
  names.every((name) => typeof (value as Record<string, unknown> | null | undefined)?.[name] === 'function')

/** Whether the value is a client that the reader can use. */
export const isRedisClient = (value: unknown): boolean =>
  has(value, 'get', 'del') && (has(value, 'pttl') || has(value, 'pTTL'))

/** Returns the commands of a client. */
export const commandsOf = (client: AnyRedisClient): RedisCommands =>
  has(client, 'pTTL') ? ofNodeRedis(client as NodeRedisClient) : ofIoredis(client as IoClient)

/** A server of the client, by the name under which a scan that is resumed finds it again. */
interface Server {
  name: string
  scan(match: string, cursor: string, count: number): Promise<{ cursor: string; keys: string[] }>
}

function ofIoredis(client: IoClient): RedisCommands {
  const { keyPrefix = '' } = client.options ?? {}
  const toServer = (node: IoNode): Server => ({
    name: `${node.options?.host}:${node.options?.port}`,
    async scan(match, cursor, count) {
      const [next, keys] = await node.scan(cursor, 'MATCH', match, 'COUNT', count)
      return { cursor: next, keys }
    },
  })
  const servers = async () => (client.nodes ? client.nodes('master').map(toServer) : [toServer(client)])
  return {
    keyPrefix,
    get: (key) => client.get(key),
    pttl: (key) => client.pttl(key),
    del: (key) => client.del(key),
    async scan(prefix, after, limit) {
      // The client puts its prefix before keys, but neither before a pattern nor off what it returns.
      const { keys, next } = await scanServers(await servers(), keyPrefix + prefix, after, limit)
      return { keys: keys.map((key) => key.slice(keyPrefix.length)), next }
    },
  }
}

function ofNodeRedis(client: NodeRedisClient): RedisCommands {
  const toServer = (name: string, node: NodeRedisNode): Server => ({
    name,
    async scan(MATCH, cursor, COUNT) {
      const answer = await scanNode(node, cursor, { MATCH, COUNT })
      return { cursor: String(answer.cursor), keys: answer.keys }
    },
  })
  const servers = async () =>
    client.masters
      ? Promise.all(
          client.masters.map(async (master) =>
            toServer(master.address, (await client.nodeClient!(master)) as NodeRedisNode),
          ),
        )
      : [toServer('', client)]
  return {
    keyPrefix: '',
    get: (key) => client.get(key),
    pttl: (key) => client.pTTL(key),
    del: (key) => client.del(key),
    scan: async (prefix, after, limit) => scanServers(await servers(), prefix, after, limit),
  }
}

/** node-redis 4 takes the cursor as a number, and later versions as a text. */
async function scanNode(node: NodeRedisNode, cursor: string, options: object) {
  try {
    return await node.scan(cursor, options)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return node.scan(Number(cursor), options)
  }
}

/** Scans one server after the other. `next` names the server and its cursor. */
async function scanServers(
  servers: Server[],
  prefix: string,
  after: string | undefined,
  limit: number,
): Promise<{ keys: string[]; next: string | undefined }> {
  const sorted = servers.sort((one, other) => (one.name < other.name ? -1 : 1))
  const at = after?.lastIndexOf(' ') ?? 0
  const [name, cursor] = after === undefined ? ['', '0'] : [after.slice(0, at), after.slice(at + 1)]
  const index = sorted.findIndex((server) => server.name === name)
  // The server is gone since, and its keys are on the others: the scan begins anew.
  const server = sorted[Math.max(index, 0)]!
  const page = await server.scan(`${escapeGlob(prefix)}*`, index < 0 ? '0' : cursor, limit)
  const following = sorted[sorted.indexOf(server) + 1]
  const next =
    page.cursor !== '0' ? `${server.name} ${page.cursor}` : following ? `${following.name} 0` : undefined
  return { keys: page.keys, next }
}

const escapeGlob = (text: string): string => text.replace(/[\\*?[\]^]/g, '\\$&')
