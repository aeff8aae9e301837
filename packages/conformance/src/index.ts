export type { Outcome, Result } from './check.ts'
export type { Context, Tested } from './context.ts'
export type { DriverBackend } from './driver/fixture.ts'
export { driverRules, driverSuite } from './driver.ts'
export { everyRuleSuite } from './every-rule.ts'
export { expressSuite } from './express.ts'
export type { ProcessBackend } from './race/processes.ts'
export { processRaceSuite, raceSuite } from './races.ts'
export { type Badge, badge } from './report/badge.ts'
export { markdown } from './report/markdown.ts'
export { broken, type Counts, count, groups, holds, type Report, summary } from './report/report.ts'
export { type Style, table } from './report/table.ts'
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
} from './rule.ts'
export { rules } from './rules.ts'
export { type RunOptions, run } from './run.ts'
export type { Runner } from './runner.ts'
export type { StoreBackend } from './store/fixture.ts'
export { storeSuite } from './store.ts'
export { type DriverPlace, type DriverSubject, type PlaceOptions, subjectOf } from './subject.ts'
export { type SuiteOptions, suite } from './suite.ts'
export type { Trace } from './trace.ts'
export { SECRET, type Trouble, troubleSuite } from './trouble.ts'
