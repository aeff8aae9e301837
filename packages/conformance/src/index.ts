export type { Context, Tested } from './engine/context.ts'
export type { Outcome, Result } from './engine/judge.ts'
export type {
  Backend,
  Data,
  Level,
  MakeOptions,
  Method,
  Need,
  Rule,
  RuleInfo,
  StoredSession,
  Subject,
} from './engine/rule.ts'
export { type RunOptions, run } from './engine/run.ts'
export type { Trace } from './engine/trace.ts'
export { type Badge, badge } from './report/badge.ts'
export { markdown } from './report/markdown.ts'
export { broken, type Counts, count, groups, holds, type Report, summary } from './report/report.ts'
export { type Style, table } from './report/table.ts'
export { rules } from './rules/index.ts'
export { type SuiteOptions, suite } from './suite.ts'
