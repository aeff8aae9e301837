/**
 * Builds the documentation site into `internal/site/dist`. `dev` as the argument serves the site
 * while its pages are edited.
 *
 *     npx -y pnpm@12 site
 *     npx -y pnpm@12 site dev
 */
import { createServer } from 'vitepress'
import { buildSite, folder } from './build.ts'

// Vite reads the settings of TypeScript from here.
process.chdir(folder)
if (process.argv[2] === 'dev') {
  const server = await createServer(folder)
  await server.listen()
  server.printUrls()
} else {
  await buildSite()
}
