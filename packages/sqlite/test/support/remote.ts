/** The module with which another process opens the database of a test. */
export { sqliteDriver as default } from '../../src/index.ts'
