import type { MakeDeployment } from '../deployment.ts'
import { declare, type Runner } from '../runner.ts'
import { bulk } from './bulk.ts'
import { callbacks } from './callbacks.ts'
import { collisions } from './collisions.ts'
import { conflicts } from './conflicts.ts'
import { data } from './data.ts'
import { deadlines } from './deadlines.ts'
import { diagnostics } from './events.ts'
import { expiry } from './expiry.ts'
import { type StoreRule, withStores } from './fixture.ts'
import { formats } from './formats.ts'
import { freshness } from './freshness.ts'
import { gone } from './gone.ts'
import { hostile } from './hostile.ts'
import { ids } from './ids.ts'
import { input } from './input.ts'
import { legacyMoves } from './legacy.ts'
import { legacyLogouts } from './legacy-logout.ts'
import { order } from './order.ts'
import { peeks } from './peek.ts'
import { regenerations } from './regenerate.ts'
import { revocations } from './revoke.ts'
import { sealing } from './sealing.ts'
import { touches } from './touch.ts'
import { unanswered } from './unanswered.ts'
import { updates } from './update.ts'
import { users } from './users.ts'

export const policyRules: readonly StoreRule[] = [
  ...callbacks,
  ...data,
  ...input,
  ...ids,
  ...expiry,
  ...touches,
  ...freshness,
  ...deadlines,
  ...order,
  ...conflicts,
  ...collisions,
  ...gone,
  ...unanswered,
  ...regenerations,
  ...hostile,
  ...users,
  ...peeks,
  ...updates,
  ...revocations,
  ...bulk,
  ...sealing,
  ...formats,
  ...legacyMoves,
  ...legacyLogouts,
  ...diagnostics,
]

/** Declares the tests of what the stores of core promise their users, on this database. */
export function policySuite(runner: Runner, make: MakeDeployment): void {
  declare(runner, 'the policy', policyRules, (check) => withStores(make, check))
}
