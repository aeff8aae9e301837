import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPackages, published, run, runPnpm } from './support/build.ts'
import { checkGuide } from './support/guides.ts'
import { writePages } from './support/pages.ts'

const root = join(import.meta.dirname, '..')
/** Packages that are more than a command. */
const libraries = published.filter(({ isLibrary }) => isLibrary)

/** The largest tarballs, in KB. */
const LARGEST: Record<string, number> = {
  '@session-stores/core': 60,
  '@session-stores/mongodb': 30,
  '@session-stores/postgres': 30,
  '@session-stores/redis': 40,
  '@session-stores/sqlite': 30,
}

let temporary: string
/** Returns where the packed package is, under the name that every package manager gives it. */
const tarball = (name: string) => {
  const { version } = published.find((each) => each.name === name)!
  return join(temporary, `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`)
}

beforeAll(async () => {
  temporary = mkdtempSync(join(tmpdir(), 'packages-'))
  await buildPackages()
  const pack = ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', temporary]
  await runPnpm(root, ...pack)
})

afterAll(() => rmSync(temporary, { recursive: true }))

describe.each(published)('$name as it is published', ({ name, isLibrary }) => {
  test('holds the build, the readme and the licence, nothing else', async () => {
    const listed = (await run(temporary, 'tar', '-tzf', tarball(name))).trim().split('\n')
    const files = listed.map((path) => path.replace('package/', ''))
    expect(files.filter((path) => !path.startsWith('dist/')).sort()).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
    ])
    const entries = ['dist/index.mjs', 'dist/index.cjs', 'dist/index.d.mts', 'dist/index.d.cts']
    expect(files).toEqual(expect.arrayContaining(isLibrary ? entries : ['dist/cli.mjs']))
  })

  const largest = LARGEST[name]
  if (largest !== undefined)
    test(`has at most ${largest} KB`, () => {
      expect(statSync(tarball(name)).size).toBeLessThanOrEqual(largest * 1000)
    })

  test('passes publint', async () => {
    const { buffer } = new Uint8Array(readFileSync(tarball(name)))
    const { messages } = await publint({ pack: { tarball: buffer }, strict: true })
    expect(messages).toEqual([])
  })

  if (!isLibrary) return
  test('has correct types for every way to import it', async () => {
    const result = await checkPackage(
      createPackageFromTarballData(new Uint8Array(readFileSync(tarball(name)))),
    )
    expect(result.types).toBeTruthy()
    expect('problems' in result && result.problems).toEqual([])
  })
})

describe('an application that installs the packages', () => {
  let app: string

  beforeAll(async () => {
    app = join(temporary, 'app')
    cpSync(join(root, 'test', 'consumer'), app, { recursive: true })
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const others = Object.keys(devDependencies).filter((name) =>
      /^(@types\/.+|better-sqlite3|express|express-session|fastify|ioredis|jose|koa|mongodb|passport|passport-local|pg)$/.test(
        name,
      ),
    )
    const versionOf = (name: string) =>
      JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
    const dependencies = Object.fromEntries([
      ...libraries.map(({ name }) => [name, `file:${tarball(name)}`]),
      ...others.map((name) => [name, versionOf(name)]),
      // Later versions of TypeScript have no setting for this any more.
      ['typescript-with-interop', 'npm:typescript@5.9.3'],
    ])
    writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
    await run(app, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund')
  })

  test('has each class of core and the drivers once for both kinds of modules', async () => {
    const program = `
      import { createRequire } from 'node:module'
      const require = createRequire(import.meta.url)
      for (const name of ['core', 'mongodb', 'postgres', 'redis', 'sqlite']) {
        const [es, cjs] = [await import('@session-stores/' + name), require('@session-stores/' + name)]
        for (const key of Object.keys(cjs)) if (es[key] !== cjs[key]) throw new Error(name + ' ' + key)
        console.log(name, Object.keys(cjs).length === Object.keys(es).filter((key) => key in cjs).length)
      }`
    const printed = await run(app, 'node', '--input-type=module', '--eval', program)
    expect(printed).toBe('core true\nmongodb true\npostgres true\nredis true\nsqlite true\n')
  })

  test('has stack traces that name the lines of the sources', async () => {
    const program = "require('@session-stores/core').checkOptions({ none: 1 }, {})"
    const failing = run(app, 'node', '--enable-source-maps', '--eval', program).catch(
      (error: Error) => error.message,
    )
    const [, line] = /core\/src\/check-options\.ts:(\d+)/.exec(await failing)!
    const source = readFileSync(join(root, 'packages/core/src/check-options.ts'), 'utf8')
    expect(source.split('\n')[Number(line) - 1]).toContain('throw new TypeError(explainUnknown')
  })

  test('compiles as ES module and CommonJS under nodenext, and both run', async () => {
    await run(app, 'tsc', '-p', '.')
    expect(await run(app, 'node', 'out/main.js')).toBe('es module: ok\n')
    expect(await run(app, 'node', 'out/main.cjs')).toBe('commonjs: ok\n')
  })

  test('compiles and runs with Koa and Fastify, whose own types are not all right', async () => {
    await run(app, 'tsc', '-p', 'tsconfig.frameworks.json')
    expect(await run(app, 'node', 'out/frameworks.js')).toBe('frameworks: ok\n')
  })

  test('runs the programs of the guides as they stand', async () => {
    for (const guide of writePages('guides', join(app, 'guides'))) await checkGuide(guide)
  })

  test('compiles without esModuleInterop', async () => {
    await run(app, 'node', 'node_modules/typescript-with-interop/lib/tsc.js', '-p', 'tsconfig.interop.json')
  })

  test('compiles for a bundler', async () => {
    await run(app, 'tsc', '-p', 'tsconfig.bundler.json')
  })
})

describe('an author of another store who installs the conformance suite', () => {
  const author = () => join(temporary, 'author')
  const readme = readFileSync(join(root, 'packages', 'conformance', 'README.md'), 'utf8')
  /** Returns a module of the README by the name in its first line. */
  const template = (file: string) =>
    new RegExp(`^\`\`\`js\\n// ${file.replaceAll('.', '\\.')}\\n(.*?)^\`\`\`$`, 'ms').exec(readme)![1]!
  /** Runs the command and returns its exit code and output. */
  const check = (...args: string[]) =>
    promisify(execFile)('npx', ['@session-stores/conformance', ...args], { cwd: author() }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      ({ code, stdout }) => ({ code, stdout }),
    )

  beforeAll(async () => {
    cpSync(join(root, 'test', 'author'), author(), { recursive: true })
    for (const file of ['conformance.mjs', 'conformance.test.mjs']) {
      writeFileSync(join(author(), file), template(file))
    }
    const dependencies = Object.fromEntries(
      ['@session-stores/conformance', '@session-stores/core'].map((name) => [name, `file:${tarball(name)}`]),
    )
    const { version } = JSON.parse(
      readFileSync(join(root, 'node_modules', 'express-session', 'package.json'), 'utf8'),
    )
    const manifest = {
      private: true,
      type: 'module',
      dependencies: { ...dependencies, express: '4.22.1', 'express-session': version },
    }
    writeFileSync(join(author(), 'package.json'), JSON.stringify(manifest))
    await run(author(), 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund')
  })

  test("sees with the README's template and the command what is broken", async () => {
    const { code, stdout } = await check('./conformance.mjs')
    expect(code).toBe(1)
    // The rules over HTTP ran on the Express of the author, who has not the newest one.
    expect(stdout).toMatch(
      /^my-store {2}\(express 4\.22\.1, express-session \S+, .*@session-stores\/conformance /,
    )
    expect(stdout).toMatch(/^✗ must {2}touch\/creates-nothing: /m)
    expect(stdout).toMatch(/^ +store\.touch\('the-session-id'/m)
    // Rules for packages that are not installed are not judged.
    expect(stdout).toMatch(/^ +should {2}koa\/keeps-the-session: koa is not installed$/m)
  })

  test('sees that other rules hold', async () => {
    const { code, stdout } = await check('./conformance.mjs', '--rule', 'http/destroy-logs-out', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout).results).toMatchObject([{ id: 'http/destroy-logs-out', outcome: 'passed' }])
  })

  test("runs the suite in a test runner with the README's template", async () => {
    const printed = await promisify(execFile)(
      'node',
      [
        '--test',
        '--test-reporter',
        'tap',
        '--test-name-pattern',
        'touch/creates-nothing|http/destroy-logs-out',
      ],
      {
        cwd: author(),
      },
    ).catch(({ stdout }) => ({ stdout }))
    expect(printed.stdout).toMatch(/^ *not ok \d+ - touch\/creates-nothing: /m)
    expect(printed.stdout).toMatch(/^ *ok \d+ - http\/destroy-logs-out: /m)
  })
})

describe('an operator who installs the command alone', () => {
  const folder = () => join(temporary, 'operator')
  /** Runs the command as `npx` does, and returns its exit code and output. */
  const npx = (...args: string[]) =>
    promisify(execFile)('npx', ['session-stores', ...args], { cwd: folder() }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      ({ code, stdout }) => ({ code, stdout }),
    )

  beforeAll(async () => {
    mkdirSync(folder())
    // The packages that the command needs are in no registry yet. Clients and parser come from there.
    const needed = published.map(({ name }) => [name, `file:${tarball(name)}`])
    const manifest = {
      private: true,
      dependencies: { 'session-stores': `file:${tarball('session-stores')}` },
      overrides: Object.fromEntries(needed.filter(([name]) => name !== 'session-stores')),
    }
    writeFileSync(join(folder(), 'package.json'), JSON.stringify(manifest))
    await run(folder(), 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund')
  })

  test('checks a store that an application has made, and lists and ends its sessions', async () => {
    const program = `
      import { SqliteStore } from '@session-stores/sqlite'
      const store = new SqliteStore({ path: 'sessions.db' })
      await store.set('the-id', { cookie: { originalMaxAge: 60000 } })
      console.log(store.handle('the-id'))
      await store.close()`
    const handle = (await run(folder(), 'node', '--input-type=module', '--eval', program)).trim()
    const place = ['--store', 'sqlite:sessions.db']
    const checked = await npx('doctor', ...place, '--ignore', 'sqlite/temporary-file')
    expect(checked).toEqual({ code: 0, stdout: expect.stringMatching(/^Healthy: \d+ checks/m) })
    expect(JSON.parse((await npx('list', ...place, '--json')).stdout)).toMatchObject({ handle })
    expect(await npx('revoke', handle, ...place)).toEqual({ code: 0, stdout: '1 session has ended.\n' })
  })

  test('has the clients of the servers', async () => {
    const urls = ['redis://127.0.0.1:1', 'postgres://127.0.0.1:1/app', 'mongodb://127.0.0.1:1/app']
    const checked = await Promise.all(urls.map((url) => npx('doctor', '--store', url, '--timeout', '1000')))
    const refused = { code: 2, stdout: expect.stringContaining('ECONNREFUSED') }
    expect(checked).toEqual([refused, refused, refused])
  })

  test('makes keys', async () => {
    const { code, stdout } = await npx('keygen', '--stdout', '--alg', 'Ed25519')
    expect({ code, key: JSON.parse(stdout) }).toMatchObject({ code: 0, key: { crv: 'Ed25519' } })
  })

  test('says what to install where better-sqlite3 is missing, and goes on without it', async () => {
    rmSync(join(folder(), 'node_modules', 'better-sqlite3'), { recursive: true })
    const { code, stdout } = await npx('doctor', '--store', 'sqlite:sessions.db')
    expect(code).toBe(2)
    expect(stdout).toMatch(
      /^FAILED SQLite needs the package better-sqlite3, .*npm install session-stores better-sqlite3$/m,
    )
    expect((await npx('keygen', '--stdout')).code).toBe(0)
  })
})
