import type { SubjectName } from './subjects.ts'

export type SuiteName = 'sqlite' | 'redis' | 'memory' | 'http'
/** On the store itself, and through express-session in a server. */
export type StoreScenario = 'lookup' | 'touch' | 'save' | 'lookup+touch' | 'get' | 'set'
export type HttpScenario = 'own sessions' | 'one session'
export type Scenario = StoreScenario | HttpScenario

/** What is measured together: the subjects of a suite run in turn, in random order, once a round. */
export interface Suite {
  name: SuiteName
  title: string
  scenarios: readonly Scenario[]
  concurrencies: readonly number[]
  subjects: readonly SubjectName[]
  /** Each of ours, and whom it is compared with. */
  rivals: Readonly<Partial<Record<SubjectName, readonly SubjectName[]>>>
}

const stores = {
  scenarios: ['lookup', 'touch', 'save', 'lookup+touch'],
  concurrencies: [1, 32, 256],
} as const

export const suites: readonly Suite[] = [
  {
    name: 'memory',
    title: 'The core alone, on the memory driver',
    scenarios: ['get', 'touch', 'set'],
    concurrencies: [256],
    subjects: ['SessionStore on memoryDriver', 'MemoryStore'],
    rivals: { 'SessionStore on memoryDriver': ['MemoryStore'] },
  },
  {
    ...stores,
    name: 'sqlite',
    title: 'SQLite',
    subjects: ['SqliteStore', 'better-sqlite3-session-store', 'better-sqlite3-session-store, WAL'],
    rivals: { SqliteStore: ['better-sqlite3-session-store', 'better-sqlite3-session-store, WAL'] },
  },
  {
    ...stores,
    name: 'redis',
    title: 'Redis',
    subjects: ['RedisStore', 'connect-redis'],
    rivals: { RedisStore: ['connect-redis'] },
  },
  {
    name: 'http',
    title: 'Express over HTTP, lookup and touch a request',
    scenarios: ['own sessions', 'one session'],
    concurrencies: [64],
    subjects: [
      'MemoryStore',
      'SqliteStore',
      'better-sqlite3-session-store',
      'better-sqlite3-session-store, WAL',
      'RedisStore',
      'connect-redis',
    ],
    rivals: {
      SqliteStore: ['MemoryStore', 'better-sqlite3-session-store', 'better-sqlite3-session-store, WAL'],
      RedisStore: ['MemoryStore', 'connect-redis'],
    },
  },
]
