import type { Row } from '@session-stores/core'
import { changePayload, changeWrites, type Mutant } from './helpers.ts'

export const data: Readonly<Record<string, Mutant>> = {
  'contract/data/read-leaves-missing-rows-out': (driver) => ({
    async read(keys) {
      const rows = await driver.read(keys)
      const none = { data: '', tag: 'none', user: null, createdAt: 0, expiresAt: 0 }
      return keys.map((key) => rows.find((row) => row.key === key) ?? { key, ...none })
    },
  }),
  'contract/data/read-returns-tombstones': (driver) => ({
    read: async (keys) => (await driver.read(keys)).filter(({ data }) => data !== null),
  }),
  'contract/data/read-of-256-returns-each': (driver) => ({ read: (keys) => driver.read(keys.slice(0, 255)) }),
  'contract/data/rows-read-are-copies': (driver) => {
    const cache = new Map<string, Row>()
    return {
      async read(keys) {
        const rows = await driver.read(keys)
        for (const row of rows) if (cache.get(row.key)?.tag !== row.tag) cache.set(row.key, row)
        return rows.map(({ key }) => cache.get(key)!)
      },
    }
  },
  'contract/data/payload-empty-comes-back': changePayload((data) => data || null),
  'contract/data/payload-null-text-comes-back': changePayload((data) => (data === 'null' ? null : data)),
  'contract/data/payload-of-1-MiB-comes-back': changePayload((data) => data.slice(0, 1_000_000)),
  'contract/data/payload-of-1-MiB-of-astral-text-comes-back': changePayload((data) => data.slice(0, 400_000)),
  'contract/data/payload-astral-comes-back': changePayload((data) =>
    data.replace(/[\u{10000}-\u{10ffff}]/gu, '\ufffd'),
  ),
  'contract/data/payload-line-separators-comes-back': changePayload((data) => data.replace('\ufeff', '')),
  'contract/data/payload-not-normalized-comes-back': changePayload((data) => data.normalize()),
  'contract/data/payload-NUL-comes-back': changePayload((data) => data.split('\0')[0]!),
  'contract/data/payload-digits-comes-back': changePayload((data) =>
    /^[\d.]+$/.test(data) ? String(Number(data)) : data,
  ),
  'contract/data/payload-JSON-comes-back': changePayload((data) =>
    data.startsWith('{') ? JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(data)).sort())) : data,
  ),
  'contract/data/payload-whitespace-comes-back': changePayload((data) => data.trimEnd()),
  'contract/data/payload-quotes-comes-back': changePayload((data) => data.replaceAll("'", "''")),
  'contract/data/keys-come-back-exactly': (driver) => ({
    write: (writes, now) =>
      driver.write(
        writes.map((write) => ({ ...write, key: write.key.slice(0, 767) })),
        now,
      ),
  }),
  'contract/data/tags-come-back-exactly': changeWrites((write) => ({
    ...write,
    tag: write.tag.slice(0, 31),
  })),
  'contract/data/users-come-back-exactly': changeWrites((write) => ({
    ...write,
    user: write.user?.toLowerCase() ?? null,
  })),
  'contract/data/deadlines-come-back-exactly': changeWrites((write) => ({
    ...write,
    expiresAt: write.expiresAt - (write.expiresAt % 1000),
  })),
  'contract/data/creation-times-come-back-exactly': changeWrites((write) => ({
    ...write,
    createdAt: Math.min(write.createdAt, 2 ** 31),
  })),
  'contract/data/deadlines-at-the-epoch-are-past': changeWrites((write) => ({
    ...write,
    expiresAt: write.expiresAt || 8.64e15,
  })),
  'contract/data/deadline-is-judged-by-the-time-given': (driver) => ({
    write: (writes) => driver.write(writes, Date.now()),
    touch: (touches) => driver.touch(touches, Date.now()),
    count: () => driver.count(Date.now()),
  }),
}
