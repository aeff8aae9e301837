/** How another process opens the database of a test. */
export { redisDriver as default } from '../src/index.ts'
