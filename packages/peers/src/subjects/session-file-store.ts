import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Subject } from '@session-stores/conformance'
import session from 'express-session'
import fileStore from 'session-file-store'
import { folderPlace } from '../places.ts'
import { versions } from '../versions.ts'

const FileStore = fileStore(session)

const subject: Subject = {
  name: 'session-file-store',
  versions: versions(['session-file-store']),
  accepts: ['ttl'],
  supports: { all: false },
  make({ ttl }) {
    const { folder, close } = folderPlace()
    const options = {
      path: folder,
      reapInterval: -1,
      logFn() {},
      ...(ttl !== undefined && { ttl: ttl / 1000 }),
    }
    return {
      stores: [new FileStore(options), new FileStore(options)],
      corrupt: (id) => writeFileSync(join(folder, `${id}.json`), '{"cookie":'),
      dispose: close,
    }
  },
}

export default subject
