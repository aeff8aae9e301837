import type { Subject } from '@session-stores/conformance'
import session from 'express-session'
import memorystore from 'memorystore'
import { versions } from '../versions.ts'

const MemoryStore = memorystore(session)

const subject: Subject = {
  name: 'memorystore',
  versions: versions(['memorystore']),
  accepts: ['ttl'],
  make: ({ ttl }) => ({ stores: [new MemoryStore(ttl === undefined ? {} : { ttl })] }),
}

export default subject
