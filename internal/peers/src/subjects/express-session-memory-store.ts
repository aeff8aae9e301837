import type { Subject } from '@session-stores/conformance'
import session from 'express-session'
import { readVersions } from '../versions.ts'

const subject: Subject = {
  name: "express-session's MemoryStore",
  versions: readVersions(['express-session']),
  make: () => ({ stores: [new session.MemoryStore()] }),
}

export default subject
