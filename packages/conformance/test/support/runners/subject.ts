import { type Backend, rules, type Subject, type SuiteOptions } from '@session-stores/conformance'
import { reference } from '../reference.ts'

const { make, ...rest } = reference((store) => ({
  touch: (id, session, callback) => void store.set(id, session, callback),
}))

/** A mutant that breaks one rule, keeps one, cannot run one, and opts out of one. */
export const subject: Subject & Pick<SuiteOptions, 'rules'> = {
  ...rest,
  make: async (options): Promise<Backend> => ({ ...(await make(options)), stop: undefined }),
  optOut: { 'cookie/idle-session-ends': 'its sessions never end' },
  rules: rules.filter(({ id }) =>
    [
      'touch/creates-nothing',
      'http/destroy-logs-out',
      'http/an-outage-is-an-error',
      'cookie/idle-session-ends',
    ].includes(id),
  ),
}
