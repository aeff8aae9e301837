import type { RequestListener } from 'node:http'
import type { Context } from '@session-stores/conformance'
import { type Host, makeExpressHost } from '@session-stores/conformance/sites'
import express from 'express'
import { withServer } from '../../../../../packages/conformance/src/sites/server.ts'
import {
  type Act,
  createVisitor,
  type Visit,
  type Visitor,
} from '../../../../../packages/conformance/src/sites/visitor.ts'

export const express5: Host = makeExpressHost(express)

/** Runs `check` with a visitor of a site on this host. Its sessions live for `maxAge` milliseconds. */
export async function withVisitor(
  host: Host,
  { store }: Context,
  maxAge: number,
  check: (visitor: Visitor) => Promise<void>,
): Promise<void> {
  let act: Act
  const settings = {
    store: store.raw,
    secret: 'a secret',
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge },
  }
  const listener: RequestListener = await host(settings, async (req) => {
    const visit: Visit = {
      id: req.sessionID,
      // A getter, because a renewal replaces the session.
      get session() {
        return req.session as unknown as Visit['session']
      },
      end: () => call((callback) => req.session.destroy(callback)),
      renew: () => call((callback) => req.session.regenerate(callback)),
    }
    await act(visit)
  })
  await withServer(listener, (url) =>
    check(
      createVisitor(async (next, cookie) => {
        act = next
        const response = await fetch(url, { headers: cookie ? { cookie } : {} })
        await response.text()
        return response.headers.getSetCookie()
      }),
    ),
  )
}

const call = (start: (callback: (error?: unknown) => void) => unknown): Promise<void> =>
  new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()))
  })
