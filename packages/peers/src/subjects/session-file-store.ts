import { copyFileSync, writeFileSync } from 'node:fs'
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
  accepts: ['ttl', 'secrets'],
  supports: { all: false },
  make({ ttl, secrets }) {
    const { folder, close } = folderPlace()
    const options = (secret?: string) => ({
      path: folder,
      reapInterval: -1,
      logFn() {},
      ...(ttl !== undefined && { ttl: ttl / 1000 }),
      ...(secret !== undefined && { secret }),
    })
    return {
      stores: [new FileStore(options(secrets?.[0])), new FileStore(options(secrets?.[1]))],
      move: (from, to) => copyFileSync(join(folder, `${from}.json`), join(folder, `${to}.json`)),
      corrupt: (id) => writeFileSync(join(folder, `${id}.json`), '{"cookie":'),
      dispose: close,
    }
  },
}

export default subject
