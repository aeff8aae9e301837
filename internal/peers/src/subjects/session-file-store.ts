import { copyFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Subject } from '@session-stores/conformance'
import session from 'express-session'
import fileStore from 'session-file-store'
import { folderPlace } from '../places.ts'
import { readVersions } from '../versions.ts'

const FileStore = fileStore(session)

type FileStoreOptions = ConstructorParameters<typeof FileStore>[0]

const subject: Subject = {
  name: 'session-file-store',
  versions: readVersions(['session-file-store']),
  accepts: ['ttl', 'secrets', 'pruneInterval'],
  supports: { all: false },
  make({ ttl, secrets, pruneInterval = false }) {
    const { folder, close } = folderPlace()
    const options = (secret?: string): FileStoreOptions => ({
      path: folder,
      // In seconds.
      reapInterval: pruneInterval === false ? -1 : pruneInterval / 1000,
      logFn() {},
      ...(ttl !== undefined && { ttl: ttl / 1000 }),
      ...(secret !== undefined && { secret }),
    })
    const both = [options(secrets?.[0]), options(secrets?.[1])] as const
    return {
      stores: [new FileStore(both[0]), new FileStore(both[1])],
      stored: () => readdirSync(folder).length,
      move: (from, to) => copyFileSync(join(folder, `${from}.json`), join(folder, `${to}.json`)),
      corrupt: (id) => writeFileSync(join(folder, `${id}.json`), '{"cookie":'),
      dispose() {
        for (const { reapIntervalObject } of both) clearInterval(reapIntervalObject)
        close()
      },
    }
  },
}

export default subject
