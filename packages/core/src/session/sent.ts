import type { Row, Touch, Write } from '../driver.ts'

/** A save as it is sent to the driver. See docs/decisions/0005-classes-on-the-hot-path.md. */
export class SentWrite implements Write {
  readonly key: string
  readonly data: string
  readonly tag: string
  readonly user: Row['user']
  readonly createdAt: number
  readonly expiresAt: number
  readonly expect: string
  readonly extend: boolean

  constructor(
    { key, user, extend }: Pick<SentWrite, 'key' | 'user' | 'extend'>,
    data: string,
    tag: string,
    createdAt: number,
    expiresAt: number,
    expect: string,
  ) {
    this.key = key
    this.data = data
    this.tag = tag
    this.user = user
    this.createdAt = createdAt
    this.expiresAt = expiresAt
    this.expect = expect
    this.extend = extend
  }
}

/** A touch as it is sent to the driver. */
export class SentTouch implements Touch {
  readonly key: string
  readonly user: Row['user']
  readonly expiresAt: number
  readonly tag: string | undefined

  constructor(key: string, user: Row['user'], expiresAt: number, tag: string | undefined) {
    this.key = key
    this.user = user
    this.expiresAt = expiresAt
    this.tag = tag
  }
}
