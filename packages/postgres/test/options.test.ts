import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { ddl, PostgresStore, postgresDriver } from '../src/index.ts'

const url = 'postgres://localhost'
const onlyOne = new TypeError(
  "give exactly one of the options 'url' (a connection URL) and 'pool' (a pg Pool)",
)

describe('options', () => {
  it('are checked, and the error names the wrong option and says what it takes', () => {
    // @ts-expect-error
    expect(() => new PostgresStore({ ulr: url })).toThrow(/unknown option 'ulr'.* url, pool, schema, table/)
    // @ts-expect-error
    expect(() => new PostgresStore({ pool: url })).toThrow("option 'pool' takes a pg Pool")
    // @ts-expect-error
    expect(() => new PostgresStore({ url, createTable: 1 })).toThrow("option 'createTable' takes a boolean")
    for (const table of ['', 'a\0b', 'x'.repeat(52), 'é'.repeat(26)])
      expect(() => postgresDriver({ url, table })).toThrow("option 'table' takes")
    expect(() => ddl({ schema: 'x'.repeat(64) })).toThrow("option 'schema' takes")
  })

  it('that are not a pool are refused with the code to write instead', () => {
    const client = new pg.Client()
    const wrong = [client, Promise.resolve(new pg.Pool()), url, () => new pg.Pool(), null]
    for (const pool of wrong as never[])
      expect(() => new PostgresStore({ pool })).toThrow(
        /^option 'pool' takes a pg Pool: write new pg.Pool\(\{ … \}\) instead of new pg.Client, await a promise.*'url'$/,
      )
    // @ts-expect-error: the type of a Client does not fit either
    expect(() => new PostgresStore({ pool: client })).toThrow(TypeError)
  })

  it('with a wrong URL are refused without its password', () => {
    for (const wrong of ['mysql://ann:hunter2@localhost', 'postgres://ann:hunter2@local<host/'])
      expect(() => postgresDriver({ url: wrong })).toThrow(/^((?!hunter2).)*$/)
  })

  it('hold either a URL or a pool', () => {
    // @ts-expect-error
    expect(() => postgresDriver({ url, pool: new pg.Pool() })).toThrow(onlyOne)
    // @ts-expect-error
    expect(() => postgresDriver({})).toThrow(onlyOne)
  })
})
