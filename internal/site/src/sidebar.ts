import { databaseIds, databases } from '@session-stores/testbed/databases'
import type { DefaultTheme } from 'vitepress'
import { linkTo, listPages, titleOf } from './pages.ts'

/** The groups of the sidebar, and the files of their pages in order. A `*` stands for the rest. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  Start: ['docs/start.md', 'docs/choose-a-store.md', 'docs/troubleshooting.md'],
  Stores: ['redis', 'postgres', 'mongodb', 'sqlite', 'core'].map((name) => `packages/${name}/README.md`),
  Guides: ['docs/guides/*'],
  Recipes: ['docs/recipes/express.md', 'docs/recipes/*'],
  'Moving from another store': ['docs/coming-from-another-store.md', 'docs/moving/*'],
  Production: ['docs/production/*', 'docs/scale.md'],
  Security: ['docs/security.md', 'docs/sealing.md', 'SECURITY.md'],
  Reference: ['docs/reference/*', 'docs/time-limits.md'],
  'Other packages': ['express', 'koa', 'fastify', 'token', 'legacy', 'cli'].map(
    (name) => `packages/${name}/README.md`,
  ),
  'How it works': [
    'docs/architecture.md',
    'docs/add-a-database.md',
    'CONTRIBUTING.md',
    'RELEASING.md',
    'packages/core/CHANGELOG.md',
  ],
  Evidence: [
    'docs/reliability.md',
    'docs/generated/conformance.md',
    'docs/generated/failover.md',
    'benchmarks/README.md',
    'docs/generated/compatibility.md',
    'docs/generated/*',
    'benchmarks/results/*',
    'packages/conformance/README.md',
    'packages/driver-suite/README.md',
    'examples/*',
  ],
  Decisions: ['docs/decisions/*'],
}

/** Returns the title of a page: a store is found by its database, and another package without its scope. */
function shortTitleOf(file: string): string {
  const database = databaseIds.find((id) => file === `packages/${id}/README.md`)
  return database ? databases[database].name : titleOf(file).replace('@session-stores/', '')
}

/** Returns the sidebar. A page that no group names is in the group `More`. */
export function makeSidebar(): DefaultTheme.SidebarItem[] {
  const left = new Set(listPages().filter((file) => file !== 'docs/index.md'))
  const take = (file: string) => left.delete(file)
  const named = new Set(Object.values(GROUPS).flat())
  const groups = Object.entries(GROUPS).map(([text, entries]) => {
    const files = entries.flatMap((entry) =>
      entry.endsWith('/*')
        ? [...left].filter((file) => file.startsWith(entry.slice(0, -1)) && !named.has(file))
        : [entry],
    )
    const items = files.filter(take).map((file) => ({ text: shortTitleOf(file), link: linkTo(file) }))
    // Groups that fold are buttons within buttons in VitePress 1, which screen readers do not take.
    return { text, items }
  })
  const rest = [...left].map((file) => ({ text: titleOf(file), link: linkTo(file) }))
  return rest.length > 0 ? [...groups, { text: 'More', items: rest }] : groups
}
