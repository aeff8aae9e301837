import { Authenticator } from '@fastify/passport'
import { passportSessions, sessions } from '@session-stores/fastify'
import fastify from 'fastify'
import {
  fillCart,
  type LoginSite,
  type PassportHost,
  strategy,
  type User,
  unreachable,
} from '../../../../packages/express/test/support/passport-host.ts'
import { SECRET } from '../../../../packages/express/test/support/site.ts'
import { listen, readForms, showErrors } from './fastify.ts'

async function openWith(secure: boolean, { store, state, keep }: LoginSite) {
  const passport = new Authenticator()
  passport.registerUserSerializer(async (user: User) => {
    if (!state.serializes) throw unreachable()
    return user.name
  })
  passport.registerUserDeserializer(async (name: string) => ({ name }))
  passport.use(strategy() as never)
  if (secure) passportSessions(passport, keep && { keep })

  const app = fastify({ trustProxy: true })
  showErrors(app)
  readForms(app)
  await app.register(sessions, { store, secret: SECRET })
  await app.register(passport.initialize())
  await app.register(passport.secureSession())
  app.get('/', async ({ user, session }) => ({
    user: (user as User | undefined)?.name ?? null,
    cart: session.cart ?? [],
  }))
  app.post('/cart', async (request) => {
    await fillCart(request.session, request.query as object, state)
    return {}
  })
  app.post(
    '/login',
    { preValidation: passport.authenticate('local', { failureMessage: true, failWithError: true }) },
    async (_request, reply) => reply.redirect('/'),
  )
  app.post(
    '/login-keeping',
    { preValidation: passport.authenticate('local', { keepSessionInfo: true }) },
    async (_request, reply) => reply.redirect('/'),
  )
  app.post('/logout', async (request, reply) => {
    await request.logOut()
    return reply.redirect('/')
  })
  app.post('/logout-saying', async (request, reply) => {
    await request.logOut()
    request.session.set('messages', ['Bye.'])
    return reply.redirect('/')
  })
  return listen(app)
}

const host: Omit<PassportHost, 'open'> = {
  name: 'Fastify 5',
  keepsOnLogout: false,
  userOf: (session) => (session as { passport?: string }).passport,
}

/** @fastify/passport, with the safe logins of the Fastify package. */
export const fastifyPassport: PassportHost = { ...host, open: (site) => openWith(true, site) }
/** @fastify/passport as it is. */
export const ownFlow: PassportHost = {
  ...host,
  name: 'Fastify 5, as it is',
  open: (site) => openWith(false, site),
}
