import { describe, it } from 'node:test'
import { type Rule, suite } from '@session-stores/conformance'
import { reference } from '../reference.ts'

/** Two rules of which each waits for the other to begin. */
const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
const rules = [0, 1].map(
  (mine): Rule => ({
    id: `mine/rule-${mine}`,
    title: 'begins before the other rule is done',
    level: 'must',
    why: 'Most rules wait, so one after the other they take minutes.',
    async check() {
      begun[mine]!.resolve()
      await begun[1 - mine]!.promise
    },
  }),
)

suite({ describe, it, ...reference(), rules, deadline: 10_000 })
