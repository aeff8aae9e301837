import { databaseIds, databases } from '@session-stores/testbed/databases'

/** A database or deployment that the command `histories` knows. */
export interface NamedPlace {
  readonly id: string
  readonly name: string
}

/** All databases and deployments. */
export const places: readonly NamedPlace[] = databaseIds.map((id) => ({ id, name: databases[id].name }))
