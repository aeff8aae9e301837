export type { StoreCallback } from './dispatch/call.ts'
export * as timers from './dispatch/timers.ts'
export type { Awaitable, Driver, ListQuery, Page, Row, Touch, Write } from './driver.ts'
export { isError, SessionStoreError, type SessionStoreErrorCode, UncertainWriteError } from './errors.ts'
export { type CallEvent, events, type PruneEvent, type SessionEvent } from './events.ts'
export { memoryDriver } from './memory.ts'
export {
  checkOptions,
  type OptionRule,
  type SealOptions,
  type Serializer,
  type StoreOptions,
  splitOptions,
} from './options.ts'
export { type ListedSession, SessionStore } from './store.ts'
