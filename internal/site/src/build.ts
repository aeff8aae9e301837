import { join } from 'node:path'
import { build } from 'vitepress'

/** The folder with the settings of the site. */
export const folder: string = join(import.meta.dirname, '..')

/** Builds the site into `internal/site/dist`. A link that leads nowhere is an error. */
export const buildSite = (): Promise<void> => build(folder)
