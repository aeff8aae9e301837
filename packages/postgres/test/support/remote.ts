/** The driver that another process uses on the database of a test. */
export { postgresDriver as default } from '../../src/index.ts'
