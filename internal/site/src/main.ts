/**
 * Builds the documentation site into `internal/site/dist`. A link that leads nowhere fails the
 * build. `dev` as the argument serves the site while its pages are edited.
 *
 *     npx -y pnpm@12 site
 *     npx -y pnpm@12 site dev
 */
import { join } from 'node:path'
import { build, createServer } from 'vitepress'

const folder = join(import.meta.dirname, '..')
// Vite reads the settings of TypeScript from here.
process.chdir(folder)
if (process.argv[2] === 'dev') {
  const server = await createServer(folder)
  await server.listen()
  server.printUrls()
} else {
  await build(folder)
}
