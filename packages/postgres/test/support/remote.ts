/** How another process opens the database of a test. */
export { postgresDriver as default } from '../../src/index.ts'
