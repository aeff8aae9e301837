import type { Subject } from '@session-stores/conformance'
import session from 'express-session'
import memorystore from 'memorystore'

const MemoryStore = memorystore(session)

const subject: Subject = {
  name: 'memorystore',
  accepts: ['ttl'],
  make: ({ ttl }) => ({ stores: [new MemoryStore(ttl === undefined ? {} : { ttl })] }),
}

export default subject
