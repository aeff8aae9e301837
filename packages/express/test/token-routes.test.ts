import { declareTokenRoutes } from './rules/token-routes.ts'
import { hosts } from './support/host.ts'

for (const host of hosts) declareTokenRoutes(host)
