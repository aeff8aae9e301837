/**
 * Another process of an application: `node worker.ts <place>`, with the place as JSON. It answers
 * each command of its parent with what the call returned, or with the code of its error.
 */

import { openStore } from './places.ts'
import type { Answer, Command } from './process.ts'
import { codeOf, makeTokens } from './tokens.ts'

const store = openStore(JSON.parse(process.argv[2]!))
const tokens = makeTokens(store)

async function follow(command: Command): Promise<unknown> {
  switch (command.call) {
    case 'refresh':
      return Promise.all(
        Array.from({ length: command.times }, () =>
          codeOf(
            tokens.refresh(command.token).then(({ refreshToken, rotated }) => ({ refreshToken, rotated })),
          ),
        ),
      )
    case 'verify': {
      const { freshness } = command
      return Promise.all(
        command.tokens.map((token) => codeOf(tokens.verify(token, { freshness }).then(() => 'valid'))),
      )
    }
  }
}

process.on('message', async ({ number, command }: { number: number; command: Command }) => {
  process.send!({ number, value: await follow(command) } satisfies Answer)
})
process.on('disconnect', async () => {
  tokens.close()
  await store.close()
})
await store.ping()
process.send!('ready')
