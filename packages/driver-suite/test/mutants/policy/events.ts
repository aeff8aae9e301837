import type { Mutant } from './helpers.ts'

export const events: Readonly<Record<string, Mutant>> = {
  'policy/events/ends-are-published': (_right, driver) => ({
    async revoke(handle: string) {
      const [row] = await driver.read([handle])
      if (row === undefined || row.data === null) return false
      await driver.write([{ ...row, data: null, tag: 'silent', expect: undefined }], row.createdAt)
      return true
    },
  }),
}
