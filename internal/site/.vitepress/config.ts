import GithubSlugger from 'github-slugger'
import { defineConfig } from 'vitepress'
import { repositoryLinks } from '../src/links.ts'
import { addressOf, listOthers, listPages } from '../src/pages.ts'
import { makeSidebar } from '../src/sidebar.ts'
import { plainText } from '../src/text.ts'

const pages = listPages()
const { SITE_BASE: base = '/' } = process.env

/** Long tables of results, in which a search would find every word. */
const isTable = (path: string): boolean => /^(generated|benchmarks\/results)\//.test(path)

/** A key, for the tab of the browser. */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0b6b5d"/>' +
  '<circle cx="6" cy="8" r="2.5" fill="none" stroke="#fff" stroke-width="1.5"/>' +
  '<path d="M8.5 8H13m-2 0v2" stroke="#fff" stroke-width="1.5" fill="none"/></svg>'

export default defineConfig({
  title: 'Session Stores',
  description: 'Session stores for express-session on Redis, MongoDB, PostgreSQL and SQLite',
  lang: 'en',
  base,
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(icon)}` }]],
  srcDir: '../..',
  srcExclude: listOthers(),
  outDir: 'dist',
  cacheDir: 'node_modules/.vitepress-cache',
  rewrites: Object.fromEntries(pages.map((file) => [file, addressOf(file)])),
  cleanUrls: true,
  metaChunk: true,
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    // The same anchors as on GitHub, so that links to headings work in both places.
    anchor: { slugify: (text: string) => new GithubSlugger().slug(text) },
    // The pages are Markdown alone: `<name>` and `{ name }` are text.
    html: false,
    attrs: { disable: true },
    config: (md) => md.use(plainText).use(repositoryLinks),
  },
  vite: { build: { chunkSizeWarningLimit: 3000 } },
  themeConfig: {
    search: {
      provider: 'local',
      options: { _render: (source, env, md) => (isTable(env.relativePath) ? '' : md.render(source, env)) },
    },
    sidebar: makeSidebar(),
    outline: [2, 3],
    nav: [
      { text: 'Getting started', link: '/start' },
      { text: 'Options', link: '/reference/options' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
    ],
  },
})
