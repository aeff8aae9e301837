import type { Adapter, AdapterPayload } from 'oidc-provider'

/** Returns a function that makes adapters, which keep the records of a provider in memory. */
export function makeRecords(): (kind: string) => Adapter {
  const records = new Map<string, AdapterPayload>()
  return (kind) => ({
    async upsert(id, payload) {
      records.set(`${kind}:${id}`, payload)
    },
    async find(id) {
      return records.get(`${kind}:${id}`)
    },
    async findByUid(uid) {
      return [...records].find(([key, record]) => key.startsWith(`${kind}:`) && record.uid === uid)?.[1]
    },
    async findByUserCode() {
      return undefined
    },
    async consume(id) {
      records.get(`${kind}:${id}`)!.consumed = Math.floor(Date.now() / 1000)
    },
    async destroy(id) {
      records.delete(`${kind}:${id}`)
    },
    async revokeByGrantId(grantId) {
      for (const [key, record] of records) if (record.grantId === grantId) records.delete(key)
    },
  })
}
