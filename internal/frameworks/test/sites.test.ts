import { declareAuthenticate } from '../../../packages/express/test/rules/authenticate.ts'
import { declarePreset } from '../../../packages/express/test/rules/preset.ts'
import { declareSameOrigin } from '../../../packages/express/test/rules/same-origin.ts'
import { declareAnswers, declareSessionsOn } from '../../../packages/express/test/rules/sessions.ts'
import { declareSignIn, declareSignInOn } from '../../../packages/express/test/rules/sign-in.ts'
import { declareTokenRoutes } from '../../../packages/express/test/rules/token-routes.ts'
import { databases, newestSites, sites } from '../src/sites/index.ts'

/** The rules of the Express package, under the other frameworks. */
for (const host of sites) {
  declarePreset(host)
  declareAnswers(host)
  declareSignIn(host)
  declareSameOrigin(host)
  declareAuthenticate(host)
  declareTokenRoutes(host)
}

for (const host of newestSites) {
  declareSessionsOn(host, databases)
  declareSignInOn(host, databases)
}
