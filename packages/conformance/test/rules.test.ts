import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Rule, rules, run, type Subject, suite } from '@session-stores/conformance'
import { describe, it } from 'vitest'
import { mutants } from './mutants/index.ts'
import { reference } from './support/reference.ts'

suite({ describe, it, ...reference() })

it('each group of rule ids has a file of its name', async () => {
  const folder = join(import.meta.dirname, '../src/rules')
  const files = readdirSync(folder).filter((file) => !/^(index|shared.*)\.ts$/.test(file))
  for (const file of files) {
    const found = Object.values((await import(join(folder, file))) as Record<string, readonly Rule[]>).flat()
    const groups = new Set(found.map(({ id }) => `${id.split('/')[0]}.ts`))
    assert.deepEqual([...groups], [file])
  }
  assert.equal(files.length, new Set(rules.map(({ id }) => id.split('/')[0])).size)
})

describe.concurrent('each rule detects its mutant', () => {
  it('every rule has a mutant, and every mutant its rule', () => {
    assert.deepEqual(Object.keys(mutants).sort(), rules.map(({ id }) => id).sort())
  })
  for (const rule of rules)
    it(rule.id, async () => {
      const [result] = await run(reference(mutants[rule.id]), [rule], {
        deadline: 6000,
      })
      assert.equal(result?.outcome, 'failed')
    })
})

it('the trace of a failure shows only the calls of the session that failed', async () => {
  for (const [id, shown] of [
    ['collisions/save-beside-a-touch-stays', 1],
    ['destroy/save-at-the-same-moment-does-not-undo-it', 1],
    ['ids/paths', 2],
  ] as const) {
    const [rule] = rules.filter((one) => one.id === id)
    const [result] = await run(reference(mutants[id]), [rule!])
    const sessions = result!.trace!.map((line) => /^\w+\.\w+\('(.+?)'/.exec(line)?.[1])
    assert.equal(new Set(sessions).size, shown, `${id}: ${sessions.join()}`)
    assert.match(result!.trace!.at(-1)!, /^store\.get\(/)
  }
})

it('an `all` that returns rows instead of sessions breaks only the rule about the shape of the list', async () => {
  const rows = reference((store) => ({
    all: (callback) =>
      void store.all((error, found) => {
        const list = Object.entries(found ?? {}).map(([sid, one]) => ({ sid, sess: JSON.stringify(one) }))
        callback(error, list as never)
      }),
  }))
  const results = await run(
    rows,
    rules.filter(({ id }) => id.startsWith('all/') || id.endsWith('/all-of-them-are-listed')),
  )
  const failed = results.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id)
  assert.deepEqual(failed, ['all/tells-every-session'])
})

describe('a subject', () => {
  const findRule = (id: string): Rule => rules.find((rule) => rule.id === id)!

  it('gets the options that it accepts, and no others', async () => {
    const asked: object[] = []
    const { make } = reference()
    const subject: Subject = {
      make(options) {
        asked.push(options)
        return make(options)
      },
    }
    const rule = findRule('ttl/ends-without-a-deadline')
    const [refusing] = await run(subject, [rule])
    const [accepting] = await run({ ...subject, accepts: ['ttl'] }, [rule])
    assert.deepEqual(asked, [{}, rule.options])
    assert.deepEqual([refusing!.outcome, accepting!.outcome], ['not-run', 'passed'])
  })

  it('may refuse the name of a table', async () => {
    const subject: Subject = {
      make() {
        throw new TypeError('not the name of a table')
      },
    }
    const rule = findRule('table/any-name')
    const [refused] = await run({ ...subject, accepts: ['tables'] }, [rule])
    const [failed] = await run(subject, [rule])
    assert.deepEqual([refused!.outcome, failed!.outcome], ['passed', 'failed'])
  })
})
