import { SessionStoreError } from './errors.ts'

/**
 * The schema of a table or a collection, as the database remembers it. A database that remembers
 * nothing has schema 1. See docs/decisions/0017-format-versions.md. For authors of drivers.
 */
export interface SchemaVersion {
  /** The schema that the table or the collection has. */
  readonly version: number
  /** The oldest schema whose driver can still use the table or the collection. */
  readonly minimum: number
}

/** The schema that every database has which remembers none. For authors of drivers. */
export const FIRST_SCHEMA: SchemaVersion = { version: 1, minimum: 1 }

/**
 * The changes of a schema since the first one. For authors of drivers.
 *
 * @template Step what leads from a schema to the next one
 */
export interface Schema<Step> {
  /** As in `SchemaVersion`, once all steps are done. */
  readonly minimum: number
  /** In their order; each of them changes nothing where it was done before. */
  readonly steps: readonly Step[]
}

/** Returns what the database is to remember after all steps. For authors of drivers. */
export const toSchemaVersion = ({ minimum, steps }: Schema<unknown>): SchemaVersion => ({
  version: steps.length + 1,
  minimum,
})

/**
 * Checks that a driver can use what it found. Returns whether steps are to be done. For authors of
 * drivers.
 *
 * @param where such as `the table`
 * @throws SCHEMA_TOO_NEW
 */
export function isSchemaOlder(found: SchemaVersion, schema: Schema<unknown>, where: string): boolean {
  const own = schema.steps.length + 1
  if (found.minimum > own)
    throw new SessionStoreError(
      'SCHEMA_TOO_NEW',
      `${where} has schema ${found.version}, which needs a package that knows schema ${found.minimum}, and this ` +
        `one knows schemas up to ${own}: upgrade the package of this process`,
    )
  return found.version < own
}
