import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { ddl, PostgresStore, postgresDriver } from '../src/index.ts'

const url = 'postgres://localhost'

describe('options', () => {
  it('names the option that is wrong, and what it takes', () => {
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

  it('says what to write in place of what is no pool', () => {
    const client = new pg.Client()
    const wrong = [client, Promise.resolve(new pg.Pool()), url, () => new pg.Pool(), null]
    for (const pool of wrong as never[])
      expect(() => new PostgresStore({ pool })).toThrow(
        /^option 'pool' takes a pg Pool: write new pg.Pool\(\{ … \}\), not new pg.Client; await a promise.*'url'$/,
      )
    // @ts-expect-error: nor has it the type of one
    expect(() => new PostgresStore({ pool: client })).toThrow(TypeError)
  })

  it('shows no password of a URL that it refuses', () => {
    for (const wrong of ['mysql://ann:hunter2@localhost', 'postgres://ann:hunter2@local<host/'])
      expect(() => postgresDriver({ url: wrong })).toThrow(/^((?!hunter2).)*$/)
  })

  it('takes either a URL or a pool', () => {
    // @ts-expect-error
    expect(() => postgresDriver({ url, pool: new pg.Pool() })).toThrow(TypeError)
    // @ts-expect-error
    expect(() => postgresDriver({})).toThrow(TypeError)
  })
})
