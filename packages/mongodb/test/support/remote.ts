/** The driver that another process uses on the database of a test. */
export { mongoDriver as default } from '../../src/index.ts'
