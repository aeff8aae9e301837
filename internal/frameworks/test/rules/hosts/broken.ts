import type { Host } from '@session-stores/conformance/sites'
import { express5 } from './visitors.ts'

/** Hosts that are broken on purpose, each with the rule that must find it. */
export const brokenHosts: readonly (readonly [does: string, rule: string, host: Host])[] = [
  [
    'answers before the session is loaded',
    'http/keeps-the-session',
    (settings, answer) =>
      express5(settings, (req, res) => {
        const { session } = req
        req.session = { ...session } as never
        return answer(req, res)
      }),
  ],
  [
    'does not end the session that is set to null',
    'http/unset-destroys',
    (settings, answer) => express5({ ...settings, unset: 'keep' }, answer),
  ],
  [
    'keeps the id at a renewal',
    'http/regenerate-changes-the-id',
    (settings, answer) =>
      express5(settings, (req, res) => {
        Object.defineProperty(req.session, 'regenerate', { value: (callback: () => void) => callback() })
        return answer(req, res)
      }),
  ],
  [
    'ends the answer before the session is stored',
    'http/matrix/modify-of-a-new-session',
    async (settings, answer) => {
      const listener = await express5(settings, answer)
      return (req, res) => {
        const end = res.end.bind(res)
        listener(req, res)
        res.end = end
      }
    },
  ],
]
