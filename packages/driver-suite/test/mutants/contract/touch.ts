import { changeTouches, force, groupTouches, isLive, isSession, type Mutant, readRow } from './helpers.ts'

export const touch: Readonly<Record<string, Mutant>> = {
  'contract/touch/moves-the-deadline-later': changeTouches((row, expiresAt, now) =>
    isSession(row, now) && expiresAt < row.expiresAt ? expiresAt : undefined,
  ),
  'contract/touch/moves-the-deadline-earlier': changeTouches((row, expiresAt, now) =>
    isSession(row, now) && expiresAt > row.expiresAt ? expiresAt : undefined,
  ),
  'contract/touch/into-the-past-ends-the-session': changeTouches((row, expiresAt, now) =>
    isSession(row, now) && expiresAt > now ? expiresAt : undefined,
  ),
  'contract/touch/of-a-missing-row-creates-nothing': (driver) => ({
    async touch(touches, now) {
      await driver.touch(touches, now)
      for (const touch of touches)
        if (!(await readRow(driver, touch.key)))
          await force(driver, { ...touch, data: '{}', tag: 'touched', createdAt: now })
    },
  }),
  'contract/touch/of-an-expired-row-revives-nothing': changeTouches((row, expiresAt, now) =>
    row.data !== null || isSession(row, now) ? expiresAt : undefined,
  ),
  'contract/touch/leaves-a-tombstone-as-it-is': changeTouches((row, expiresAt, now) =>
    isLive(row, now) ? expiresAt : undefined,
  ),
  'contract/touch/of-an-expired-tombstone-revives-nothing': changeTouches((row, expiresAt, now) =>
    isSession(row, now) || row.data === null ? expiresAt : undefined,
  ),
  'contract/touch/update-lands-after-a-touch': (driver) => ({
    async touch(touches, now) {
      await driver.touch(touches, now)
      for (const row of await driver.read(touches.map(({ key }) => key)))
        if (isSession(row, now)) await force(driver, { ...row, tag: `${row.tag}+` })
    },
  }),
  'contract/touch/decides-each-row-alone': (driver) => ({
    async touch(touches, now) {
      const rows = await driver.read(touches.map(({ key }) => key))
      if (rows.length === touches.length && rows.every((row) => isSession(row, now)))
        await driver.touch(touches, now)
    },
  }),
  'contract/touch/reaches-every-deadline': changeTouches((row, expiresAt, now) =>
    isSession(row, now) ? Math.min(expiresAt, 9_999_999_999_999) : undefined,
  ),
  'contract/touch/with-an-older-tag-moves-nothing': changeTouches((row, expiresAt, now) =>
    isSession(row, now) ? expiresAt : undefined,
  ),
  'contract/touch/with-the-current-tag-moves': changeTouches((row, expiresAt, now, tag) =>
    isSession(row, now) && tag === undefined ? expiresAt : undefined,
  ),
  'contract/touch/without-a-tag-moves-any-version': (driver) => ({
    touch: (touches, now) =>
      driver.touch(
        touches.map((touch) => ({ ...touch, tag: 'tag' in touch ? (touch.tag ?? '') : undefined })),
        now,
      ),
  }),
  'contract/touch/of-256-with-and-without-tags-moves-the-right-ones': groupTouches,
  'contract/touch/of-256-moves-each': (driver) => ({
    touch: (touches, now) =>
      driver.touch(
        touches.map((touch) => ({ ...touch, expiresAt: touches[0]!.expiresAt })),
        now,
      ),
  }),
}
