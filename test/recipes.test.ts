import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPackages, installPackages } from './support/build.ts'
import { importedBy, installedBy, makeFolder, type Page, writePages } from './support/pages.ts'
import { testOpenidConnect } from './support/recipes/express-openid-connect.ts'
import { testExpress, testFastify, testKoa } from './support/recipes/frameworks.ts'
import { testNestjs } from './support/recipes/nestjs.ts'
import { testOpenTelemetry } from './support/recipes/opentelemetry.ts'
import { testPrometheus } from './support/recipes/prometheus.ts'
import { testSocketIo } from './support/recipes/socket-io.ts'
import { testTesting } from './support/recipes/testing.ts'
import { testWs } from './support/recipes/ws.ts'

const { folder, remove } = makeFolder('recipes')
afterAll(remove)
// The programs use the packages as they are published, as those of readers do.
beforeAll(async () => {
  await buildPackages()
  installPackages(folder)
})
const pages = writePages('recipes', folder)

/** Declares the tests of each recipe. */
const recipes: Readonly<Record<string, (page: Page) => void>> = {
  express: testExpress,
  'express-openid-connect': testOpenidConnect,
  fastify: testFastify,
  koa: testKoa,
  nestjs: testNestjs,
  // Next.js is large, so test/nextjs.test.ts installs it and is among the long tests.
  nextjs: () => {},
  opentelemetry: testOpenTelemetry,
  prometheus: testPrometheus,
  'socket.io': testSocketIo,
  testing: testTesting,
  ws: testWs,
}

test('every recipe has tests', () => {
  expect(pages.map(({ name }) => name).sort()).toEqual(Object.keys(recipes).sort())
})

describe.each(pages)('the recipe $name', (page) => {
  test('installs the packages that its programs import', () => {
    const installed = installedBy(page)
    expect(importedBy(page).filter((name) => !installed.includes(name))).toEqual([])
  })

  recipes[page.name]?.(page)
})
