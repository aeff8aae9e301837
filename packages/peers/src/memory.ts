import type { Subject } from '@session-stores/conformance'
import session from 'express-session'

const subject: Subject = {
  name: "express-session's MemoryStore",
  make: () => ({ stores: [new session.MemoryStore()] }),
}

export default subject
