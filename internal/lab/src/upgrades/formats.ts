import { FORMATS, type Format } from '@session-stores/core'

/** A format that is not released, so that two versions can be tested before there is a second format. */
const next: Format = {
  encode: (text) => Buffer.from(text).toString('base64url'),
  decode: (encoded) => Buffer.from(encoded, 'base64url').toString(),
}

/** The formats of the version after this one. */
export const NEXT_FORMATS: readonly Format[] = [...FORMATS, next]
