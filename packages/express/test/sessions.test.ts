import { declareAnswers, declareSessionsOn } from './rules/sessions.ts'
import { hosts } from './support/host.ts'

for (const host of hosts) declareAnswers(host)
declareSessionsOn(hosts[0]!, ['sqlite', 'redis'])
