import { once } from 'node:events'
import { createReadStream, existsSync, globSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'

/** The built site, served as a host of static files serves it. */

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

export const dist: string = join(import.meta.dirname, '../dist')

/** Returns the addresses of all pages of the built site. */
export function builtPages(): string[] {
  return globSync('**/*.html', { cwd: dist })
    .filter((file) => file !== '404.html')
    .map((file) => `/${file.replace(/(^|\/)index\.html$/, '$1').replace(/\.html$/, '')}`)
    .sort()
}

/** Serves the built site. */
export async function serveSite(): Promise<AsyncDisposable & { origin: string }> {
  const server = createServer((req, res) => {
    const { pathname } = new URL(req.url!, 'http://localhost')
    const path = decodeURIComponent(pathname)
    const file = [path, `${path}.html`, join(path, 'index.html')]
      .map((each) => join(dist, each))
      .find((each) => extname(each) !== '' && existsSync(each))
    if (file === undefined) return res.writeHead(404).end()
    res.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream')
    createReadStream(file).pipe(res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
