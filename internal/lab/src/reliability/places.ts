import { databaseIds, databases } from '@session-stores/testbed/databases'
import { deploymentIds, deployments } from '../histories/deployments/index.ts'

/** A database or deployment that the command `histories` knows. */
export interface NamedPlace {
  readonly id: string
  readonly name: string
  /** How many shares of the time it gets. */
  readonly shares: number
}

/**
 * All databases and deployments. A deployment's failovers take most of its time, so the databases, whose
 * calls are many times as frequent, get two shares each.
 */
export const places: readonly NamedPlace[] = [
  ...databaseIds.map((id) => ({ id, name: databases[id].name, shares: 2 })),
  ...deploymentIds.map((id) => ({ id, name: deployments[id].name, shares: 1 })),
]
