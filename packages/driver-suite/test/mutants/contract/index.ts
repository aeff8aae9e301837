import { batch } from './batch.ts'
import { data } from './data.ts'
import { expression } from './expression.ts'
import { extend } from './extend.ts'
import type { Mutant } from './helpers.ts'
import { lifecycle } from './lifecycle.ts'
import { list } from './list.ts'
import { model } from './model.ts'
import { prune } from './prune.ts'
import { race } from './race.ts'
import { sentTwice } from './sent-twice.ts'
import { tombstone } from './tombstone.ts'
import { touch } from './touch.ts'
import { write } from './write.ts'

/** The mutants of drivers, by the id of the rule that must find each of them. */
export const mutants: Readonly<Record<string, Mutant>> = {
  ...lifecycle,
  ...data,
  ...expression,
  ...write,
  ...extend,
  ...tombstone,
  ...sentTwice,
  ...batch,
  ...touch,
  ...list,
  ...prune,
  ...race,
  ...model,
}
