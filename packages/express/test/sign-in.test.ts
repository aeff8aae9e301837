import { declareSignIn, declareSignInOn } from './rules/sign-in.ts'
import { hosts } from './support/host.ts'

for (const host of hosts) declareSignIn(host)
declareSignInOn(hosts[0]!)
