import { statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeStore, openStore } from '../src/store.ts'

const forms: [url: string, shown: string][] = [
  ['redis://localhost', 'redis://localhost'],
  ['redis://:SECRET@localhost:6379/0', 'redis://localhost:6379/0'],
  ['redis://SECRET@localhost', 'redis://localhost'],
  ['rediss://ann:SECRET@cache.example/1', 'rediss://cache.example/1'],
  ['redis://ann:%53ECRET%40SECRET@localhost', 'redis://localhost'],
  ['redis://ann:SECRET@SECRET@localhost', 'redis://localhost'],
  ['redis://ann:SEC:SECRET@[::1]:6379', 'redis://[::1]:6379'],
  ['redis://localhost/0?password=SECRET', 'redis://localhost/0'],
  ['redis://localhost/0?password=SECRET@SECRET', 'redis:…'],
  ['redis://localhost#SECRET', 'redis://localhost'],
  ['redis://ann:SEC/SECRET@localhost', 'redis:…'],
  ['redis://ann:12/SECRET@localhost/0', 'redis:…'],
  ['redis://ann:SEC?SECRET@localhost', 'redis:…'],
  ['redis://ann:SEC#SECRET@localhost', 'redis:…'],
  ['redis://ann:SECRET', 'redis:…'],
  ['redis://ann%3ASECRET%40localhost', 'redis:…'],
  ['redis:ann:SECRET@localhost', 'redis:…'],
  ['redis://ann:SECRET@local host', 'redis:…'],
  ['redis://ann:SEC\nRET@localhost/SECRET\n', 'redis:…'],
  ['postgres://ann:SECRET@db.example:5432/app?sslmode=require', 'postgres://db.example:5432/app'],
  ['postgresql:///app?host=/var/run/postgresql&user=ann&password=SECRET', 'postgresql:///app'],
  ['postgres://ann:SECRET@%2Fvar%2Frun%2Fpostgresql/app', 'postgres://%2Fvar%2Frun%2Fpostgresql/app'],
  ['postgres://ann:SECRET@/app?host=/tmp', 'postgres:///app'],
  [
    'mongodb://ann:SECRET@a.example:27017,b.example,[::1]:1/app',
    'mongodb://a.example:27017,b.example,[::1]:1/app',
  ],
  ['mongodb://ann:SECRET@a.example,ann:SECRET@b.example/app', 'mongodb://b.example/app'],
  ['mongodb://a.example,b:SECRET/app', 'mongodb:…'],
  ['mongodb+srv://ann:SECRET@cluster.example/?authSource=admin', 'mongodb+srv://cluster.example/'],
  ['mongodb://ann:SECRET@%2Ftmp%2Fmongodb-27017.sock', 'mongodb://%2Ftmp%2Fmongodb-27017.sock'],
  ['SECRET', 'SESSION_STORE'],
  ['ann:SECRET@localhost', 'SESSION_STORE'],
  ['mysql://ann:SECRET@localhost', 'SESSION_STORE'],
  ['sqlite:data/a@b.db', 'sqlite:data/a@b.db'],
]

test.each(forms)('%j is shown as %j', (url, shown) => {
  expect(describeStore(url)).toBe(shown)
  expect(shown).not.toContain('SECRET')
})

test.skipIf(process.platform === 'win32')(
  'only the owner can access the files of a SQLite store',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'app-store-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const [made, found] = [join(folder, 'made.db'), join(folder, 'found.db')]
    writeFileSync(found, '', { mode: 0o644 })
    for (const path of [made, found]) {
      const store = openStore(`sqlite:${path}`, {})
      await store.ping()
      for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600)
      await store.close()
    }
  },
)
