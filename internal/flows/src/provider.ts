import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Browser } from '@session-stores/testbed/browser'
import Provider from 'oidc-provider'
import { makeRecords } from './provider-records.ts'
import { openSite } from './site.ts'

export const USER = 'ada'

export interface OpenIdProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /**
   * Signs the browser's user out at the provider, which sends a logout token to the application.
   * Returns whether the application accepted the token.
   */
  signOut(browser: Browser): Promise<boolean>
}

export interface ProviderOptions {
  /** The origin of the application that signs in at this provider. */
  readonly app: string
  /** Whether tokens name the session at the provider (`sid`), not only the user. */
  readonly withSid?: boolean
}

/** Opens an OpenID provider on its own server. It signs every visitor in as the same user. */
export async function openProvider({ app, withSid = false }: ProviderOptions): Promise<OpenIdProvider> {
  const site = await openSite()
  const clientId = 'app'
  const clientSecret = randomBytes(32).toString('hex')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider = new Provider(site.origin, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [`${app}/callback`],
        post_logout_redirect_uris: [app],
        backchannel_logout_uri: `${app}/backchannel-logout`,
        backchannel_logout_session_required: withSid,
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    adapter: makeRecords(),
    // In seconds.
    ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        logoutSource(ctx, form) {
          ctx.body = form
        },
        postLogoutSuccessSource(ctx) {
          ctx.body = 'signed out'
        },
      },
    },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    async loadExistingGrant({ oidc }) {
      const grant = new provider.Grant({ clientId, accountId: oidc.session!.accountId! })
      grant.addOIDCScope('openid')
      await grant.save()
      return grant
    },
    // The provider's own dispatcher refuses addresses of this machine.
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined } as RequestInit),
  })
  const answer = provider.callback()
  site.serve(async (req, res) => {
    if (!req.url!.startsWith('/interaction/')) return answer(req, res)
    await provider.interactionFinished(req, res, { login: { accountId: USER } })
  })

  return {
    issuer: site.origin,
    clientId,
    clientSecret,
    async signOut(browser) {
      let accepted: boolean | undefined
      provider.once('backchannel.success', () => {
        accepted = true
      })
      provider.once('backchannel.error', () => {
        accepted = false
      })
      const { body } = await browser.get(`${site.origin}/session/end`)
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(body)![1]!
      await browser.post(`${site.origin}/session/end/confirm`, { xsrf, logout: 'yes' })
      provider.removeAllListeners('backchannel.success').removeAllListeners('backchannel.error')
      if (accepted === undefined) throw new Error('the provider sent no logout token')
      return accepted
    },
  }
}
