import { execFile } from 'node:child_process'
import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'vitepress'
import { listPages, root } from './pages.ts'

/** The folder with the settings of the site. */
export const folder: string = join(import.meta.dirname, '..')

/** Builds the site into `internal/site/dist`. A link that leads nowhere is an error. */
export const buildSite = (): Promise<void> => build(folder)

/**
 * Builds the site unless that was done since the last change of a page or a setting. A process of its
 * own builds it, because Vue and Vite build something else in the environment of a test.
 */
export async function buildSiteIfStale(): Promise<void> {
  const settings = globSync('{src,.vitepress}/**/*.{ts,css}', { cwd: folder }).map((file) =>
    join(folder, file),
  )
  const sources = [...settings, ...listPages().map((file) => join(root, file))]
  const built = statSync(join(folder, 'dist/index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (!sources.some((file) => statSync(file).mtimeMs > built)) return
  const env = { ...process.env, NODE_ENV: 'production' }
  await promisify(execFile)(process.execPath, [join(folder, 'src/main.ts')], { env })
}
