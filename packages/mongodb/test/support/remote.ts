/** How another process opens the database of a test. */
export { mongoDriver as default } from '../../src/index.ts'
