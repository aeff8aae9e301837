import { databaseIds, databases } from '@session-stores/testbed/databases'

/** The subjects of the packages that most people use, one for each database, for long scenarios. */
export const MAIN: readonly string[] = databaseIds.map((id) => databases[id].peer)
