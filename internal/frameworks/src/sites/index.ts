import type { DatabaseId } from '@session-stores/testbed/databases'
import type { Host } from '../../../../packages/express/test/support/host.ts'
import { fastifySite } from './fastify.ts'
import { koaSites } from './koa.ts'

/** The databases on which the frameworks are tried: one in this process, and one on a server. */
export const databases: readonly DatabaseId[] = ['sqlite', 'redis']

/** The newest versions of the frameworks other than Express. */
export const newestSites: readonly Host[] = [koaSites[0]!, fastifySite]
/** All versions of them. */
export const sites: readonly Host[] = [...koaSites, fastifySite]
