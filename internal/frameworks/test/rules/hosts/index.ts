import { type Host, makeExpressHost } from '@session-stores/conformance/sites'
import type express from 'express'
import express4 from 'express-4'
import Koa from 'koa'
import Koa2 from 'koa-2'
import { fastifyHost } from './fastify.ts'
import { makeKoaHost } from './koa.ts'

/** Every framework beside Express 5, on which the rules run in the suite of each driver. */
export const hosts: readonly (readonly [name: string, host: Host])[] = [
  ['Express 4', makeExpressHost(express4 as unknown as typeof express)],
  ['Koa 3', makeKoaHost(Koa)],
  ['Koa 2', makeKoaHost(Koa2 as unknown as typeof Koa)],
  ['Fastify 5', fastifyHost],
]
