import { databaseIds, databases } from '@session-stores/testbed/databases'
import { deploymentIds, deployments } from '../histories/deployments/index.ts'

/** A database or deployment that the command `histories` knows. */
export interface NamedPlace {
  readonly id: string
  readonly name: string
}

/** All databases and deployments. */
export const places: readonly NamedPlace[] = [
  ...databaseIds.map((id) => ({ id, name: databases[id].name })),
  ...deploymentIds.map((id) => ({ id, name: deployments[id].name })),
]
