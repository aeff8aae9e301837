/** The other stores whose sessions can be moved. */
export const FORMATS = ['connect-redis', 'connect-mongo', 'connect-pg-simple', 'better-sqlite3'] as const

/** The name of one of the other stores. */
export type FormatId = (typeof FORMATS)[number]
