export {
  checkOptions,
  exactlyOne,
  meant,
  type OptionChecks,
  type OptionHints,
  type OptionRule,
  type OptionRules,
  refuseFragment,
} from './check-options.ts'
export type { StoreCallback } from './dispatch/call.ts'
export * as timers from './dispatch/timers.ts'
export {
  type Awaitable,
  type Driver,
  type ListQuery,
  type Page,
  pageOf,
  type Row,
  type Touch,
  type Write,
} from './driver.ts'
export type { Serializer } from './encoding/codec.ts'
export { type CompressionOptions, compressSessions } from './encoding/compression.ts'
export { FORMATS, type Format, NEWER_LAYOUT } from './encoding/formats.ts'
export { type SealOptions, secretKeyOf } from './encoding/seal.ts'
export {
  type ErrorReason,
  isError,
  SessionStoreError,
  type SessionStoreErrorCode,
  UncertainWriteError,
} from './errors.ts'
export { type CallEvent, type EndedEvent, events, type PruneEvent, type SessionEvent } from './events.ts'
export type {
  LegacyOptions,
  LegacyPage,
  LegacyQuery,
  LegacyReader,
  LegacyRow,
  LegacySession,
  MoveOptions,
  MoveOutcome,
} from './legacy.ts'
export { memoryDriver } from './memory.ts'
export type { Derive, Known } from './near/known.ts'
export { type StoreOptions, type StoreSettings, splitOptions } from './options.ts'
export { FIRST_SCHEMA, isSchemaOlder, type Schema, type SchemaVersion, toSchemaVersion } from './schema.ts'
export type { ListOptions, RevokeOptions } from './session/directory.ts'
export type { ListedSession } from './session/lookups.ts'
export type { Change, Target } from './session/updates.ts'
export { SessionStore } from './store.ts'
