import { describeFormats } from './support/describe.ts'
import { badInputSuite } from './support/suites/bad-input.ts'
import { moveSuite } from './support/suites/formats.ts'
import { httpSuite } from './support/suites/http.ts'
import { logoutSuite } from './support/suites/logout.ts'
import { postgresSuite } from './support/suites/postgres-only.ts'

describeFormats('postgres', moveSuite, httpSuite, badInputSuite, logoutSuite, postgresSuite)
