import { expect, test } from 'vitest'
import { sameOrigin } from '../src/index.ts'
import { declareSameOrigin } from './rules/same-origin.ts'
import { hosts } from './support/host.ts'

for (const host of hosts) declareSameOrigin(host)

test.each([['https://app.example/'], ['app.example'], ['https://app.example/path'], ['*'], [1]])(
  'the trusted origin %s is refused',
  (trusted) => {
    expect(() => sameOrigin({ trusted: [trusted] as string[] })).toThrow(
      /'trusted' takes an array of origins/,
    )
  },
)
